package main

import (
	"syscall"
	"testing"
)

func TestHideMemory(t *testing.T) {
	defer syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 1, 0)
	if err := hideMemory(); err != nil {
		t.Fatal(err)
	}
	if on, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prGetDumpable, 0, 0); on != 0 || errno != 0 {
		t.Errorf("dumpable is %d, %v", on, errno)
	}
}
