package compare

import "context"

// SetLink changes the line that connections from now on go over.
func (s *Stage) SetLink(l Link) { s.opts.Link = l }

// SetPolicy changes what this device's deleting means on the server.
func (d *POP3Device) SetPolicy(ctx context.Context, policy string) (err error) {
	if d.stage.target.Devices == nil {
		return errNoPolicies
	}
	d.login, err = d.stage.target.Devices.Login(ctx, d.name, policy)
	return err
}

// Connected tells whether the device has a session.
func (d *IMAPDevice) Connected() bool { return d.client != nil }
