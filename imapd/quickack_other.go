//go:build !linux

package imapd

import "net"

// acknowledge does nothing where the kernel has no such setting.
func acknowledge(net.Conn) {}
