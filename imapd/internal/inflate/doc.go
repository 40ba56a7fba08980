// Package inflate reads a DEFLATE stream (RFC 1951) that never ends and is
// flushed now and then, as a connection under COMPRESS=DEFLATE carries it (RFC
// 4978).
//
// START HERE: [NewReader]. The reader of the standard library hands out what
// it has decoded at the end of a stored block or when its window is full, so
// that it withholds the end of a command from a peer that flushes otherwise
// (zlib's Z_PARTIAL_FLUSH, or a block that simply ends there). This one hands
// out every byte that the bits received so far stand for before it waits for
// more.
//
// File map
//
//	reader.go   the bits, the window, Read
//	block.go    block headers, stored blocks, literals and matches
//	huffman.go  codes
//
// Invariants: a step (block.go) either takes all the bits it needs or none, so
// that it can be tried again when more have come; the source is read only when
// nothing is left to hand out; at most one window is decoded ahead of the
// caller, and the window, which grows as the stream does, is at most 32 KiB.
package inflate
