// Drives imapflow, which turns on COMPRESS, QRESYNC, UTF8=ACCEPT and IMAP4rev2
// by itself. Reads a target as JSON from stdin; exits 1 at the first surprise.
const assert = require('assert')
const { ImapFlow } = require('imapflow')
const fs = require('fs')

const to = JSON.parse(fs.readFileSync(0))
const mails = to.mails.map((m) => Buffer.from(m, 'base64'))

function connection(options) {
  return new ImapFlow({
    host: 'localhost', port: Number(to.imaps.split(':').pop()), secure: true, logger: false,
    tls: { ca: fs.readFileSync(to.ca) }, auth: { user: to.user, pass: to.pass }, qresync: true, ...options,
  })
}

async function main() {
  const imap = connection({}), plain = connection({ disableCompression: true })
  await imap.connect()
  await plain.connect()
  for (const word of ['UTF8=ACCEPT', 'IMAP4REV2', 'QRESYNC']) assert(imap.enabled.has(word), word)
  const name = 'Entwürfe & Q&A'
  await imap.mailboxCreate(name)
  assert((await imap.list()).some((box) => box.path === name))
  assert((await plain.list()).some((box) => box.path === name))
  const lock = await imap.getMailboxLock('INBOX')
  for (const mail of mails) {
    const put = await imap.append('INBOX', mail)
    const got = await imap.fetchOne(String(put.uid), { source: true, envelope: true, bodyStructure: true }, { uid: true })
    assert(got.source.equals(mail), `message ${put.uid} came back otherwise`)
  }
  assert.equal((await imap.search({ all: true }, { uid: true })).length, mails.length)
  const exists = new Promise((resolve) => imap.once('exists', resolve))
  const idle = imap.idle()
  await plain.append('INBOX', 'Subject: new\r\n\r\nx\r\n')
  assert.equal((await exists).count, mails.length + 1)
  await imap.noop() // ends IDLE
  await idle
  lock.release()
  assert.equal((await imap.status(name, { messages: true })).messages, 0)
  await imap.mailboxDelete(name)
  await imap.logout()
  await plain.logout()
}

main().catch((err) => {
  console.error(err)
  process.exit(1)
})
