package message

import (
	"encoding/binary"
	"errors"
	"io"
)

// Edit puts New in the place of Len bytes from Off on.
type Edit struct {
	Off, Len int64
	New      []byte
}

// ErrEdits says that a blob is no list of edits for that many bytes.
var ErrEdits = errors.New("message: not a list of edits")

// EditedSize gives the size of what has size bytes, once edited.
func EditedSize(size int64, edits []Edit) int64 {
	for i := range edits {
		size += int64(len(edits[i].New)) - edits[i].Len
	}
	return size
}

// AppendEdits appends the stored form of edits: ascending, none touching the
// bytes of another.
func AppendEdits(dst []byte, edits []Edit) []byte {
	at := int64(0)
	for i := range edits {
		e := &edits[i]
		dst = binary.AppendUvarint(dst, uint64(e.Off-at))
		dst = binary.AppendUvarint(dst, uint64(e.Len))
		dst = appendBytes(dst, e.New)
		at = e.Off + e.Len
	}
	return dst
}

// ParseEdits reads the stored form of edits of something that has size bytes.
// New is part of stored.
func ParseEdits(stored []byte, size int64) (list []Edit, err error) {
	at := int64(0)
	for len(stored) > 0 {
		var v [3]uint64 // from the last edit's end to Off, Len, length of New
		for i := range v {
			n := 0
			if v[i], n = binary.Uvarint(stored); n <= 0 || v[i] > 1<<40 {
				return nil, ErrEdits
			}
			stored = stored[n:]
		}
		e := Edit{Off: at + int64(v[0]), Len: int64(v[1])}
		at = e.Off + e.Len
		if at > size || v[2] > uint64(len(stored)) {
			return nil, ErrEdits
		}
		e.New, stored = stored[:v[2]], stored[v[2]:]
		list = append(list, e)
	}
	return list, nil
}

// WriteEdited writes size bytes with their edits to w. original writes n of the
// bytes, from off on.
func WriteEdited(w io.Writer, size int64, edits []Edit, original func(w io.Writer, off, n int64) error) error {
	at := int64(0)
	for i := range edits {
		e := &edits[i]
		if err := original(w, at, e.Off-at); err != nil {
			return err
		}
		if _, err := w.Write(e.New); err != nil {
			return err
		}
		at = e.Off + e.Len
	}
	return original(w, at, size-at)
}
