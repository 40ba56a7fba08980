package compare

import (
	"context"
	"net"
	"time"
)

// flightEvent is how many octets of one flight an event tells of at most.
const flightEvent = 64 << 10

// wire counts the octets of a connection below TLS and lets them take the time
// that the link gives them: each answer a round trip, each octet its share of the
// rate. One goroutine uses it.
type wire struct {
	net.Conn
	ctx  context.Context // of the run: no wait outlasts it
	rec  *recorder
	link Link
	from origin

	side  Side  // who sent last
	bytes int64 // of this flight, not yet told
	trips int   // flights of the server
}

// newWire meters conn, which has just been made: the client's last packet of the
// TCP handshake is the first flight.
func newWire(ctx context.Context, conn net.Conn, rec *recorder, link Link, from origin) *wire {
	return &wire{Conn: conn, ctx: ctx, rec: rec, link: link, from: from, side: Client}
}

// Read counts what the server sent.
func (w *wire) Read(p []byte) (int, error) {
	if err := w.Conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.flow(Server, n)
	}
	return n, err
}

// Write counts what the client sends.
func (w *wire) Write(p []byte) (int, error) {
	w.flow(Client, len(p)) // may take long
	if err := w.Conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	return w.Conn.Write(p)
}

// turn ends the flight of the other side.
func (w *wire) turn(side Side) {
	if w.side == side {
		return
	}
	w.flush()
	w.side = side
	if side == Server {
		w.trips++
		w.rec.clock.spend(w.ctx, w.link.Latency)
	}
}

func (w *wire) flow(side Side, n int) {
	w.turn(side)
	w.rec.clock.spend(w.ctx, w.link.transfer(n))
	for w.bytes += int64(n); w.bytes >= flightEvent; w.bytes -= flightEvent {
		w.rec.add(w.from, Event{Kind: KindWire, From: side, Bytes: flightEvent})
	}
}

// push is half a round trip: what comes without having been asked for.
func (w *wire) push() { w.rec.clock.spend(w.ctx, w.link.Latency/2) }

// flush tells of the flight so far.
func (w *wire) flush() {
	if w.bytes > 0 {
		w.rec.add(w.from, Event{Kind: KindWire, From: w.side, Bytes: w.bytes})
		w.bytes = 0
	}
}
