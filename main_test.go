// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package main

import "testing"

// TestAsksForLog: whoever turns any log on gets the framework's too.
func TestAsksForLog(t *testing.T) {
	t.Parallel()
	for variable, want := range map[string]bool{
		"TF_LOG=TRACE":                            true,
		"TF_LOG_PROVIDER=debug":                   true,
		"TF_LOG_PROVIDER_TRUSTFRAMEWORK=INFO":     true,
		"TF_LOG_SDK=TRACE":                        true,
		"TF_LOG_SDK_FRAMEWORK=TRACE":              true,
		"TF_LOG_SDK_PROTO_DATA_DIR=/tmp/messages": true,
		"TF_LOG=":            false,
		"TF_ACC=1":           false,
		"OTHER_TF_LOG=TRACE": false,
		"TF_REATTACH_PROVIDERS={\"TF_LOG\":\"x\"}": false,
	} {
		if got := asksForLog([]string{"PATH=/bin", variable}); got != want {
			t.Errorf("%s: got %t, want %t", variable, got, want)
		}
	}
}
