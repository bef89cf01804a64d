// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

// BeginWrite holds a write to a key set under way until end is called, so that
// tests of overlap need no timing.
func (t *Tenant) BeginWrite(keySet string) (end func()) {
	t.beginWrite(keySet)
	return func() { t.endWrite(keySet) }
}
