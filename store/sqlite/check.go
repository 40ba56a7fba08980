package sqlite

import "context"

// Check verifies the store.
func (e *Engine) Check(ctx context.Context, repair bool, finding func(string)) error { return nil }
