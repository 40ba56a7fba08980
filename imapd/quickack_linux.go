package imapd

import (
	"net"
	"syscall"
)

// acknowledge has the kernel confirm at once what the client sends next. A
// client that writes the end of an APPEND apart from its literal (imaplib does)
// waits for that before it sends the rest, and the kernel waits 40 ms for an
// answer to send it along with. The setting lasts until the next answer.
func acknowledge(conn net.Conn) {
	for {
		outer, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = outer.NetConn()
	}
	socket, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	})
}
