// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import "strconv"

// keySetBody is a key set in an answer. Keys is a pointer to a slice so that
// the member can be left out as well as be empty.
type keySetBody struct {
	Context string     `json:"@odata.context,omitempty"`
	ID      string     `json:"id"`
	Keys    *[]keyBody `json:"keys,omitempty"`
}

type keySetListBody struct {
	Context  string       `json:"@odata.context"`
	NextLink string       `json:"@odata.nextLink,omitempty"`
	Value    []keySetBody `json:"value"`
}

// keyBody is a key in an answer. Members without a value are null, x5c is
// empty (documented example of generateKey); k is never set, as private
// material isn't readable (documented).
type keyBody struct {
	Context string   `json:"@odata.context,omitempty"`
	K       *string  `json:"k"`
	X5c     []string `json:"x5c"`
	Kty     string   `json:"kty"`
	Use     string   `json:"use"`
	Exp     any      `json:"exp"`
	Nbf     any      `json:"nbf"`
	Kid     string   `json:"kid"`
	E       *string  `json:"e"`
	N       *string  `json:"n"`
}

// context is the @odata.context of an answer. Its form is observed for keys
// and inferred from OData's convention for key sets.
func (x *exchange) context(of string) string {
	return x.origin() + "/beta/$metadata#" + of
}

func (x *exchange) keyBody(k Key) keyBody {
	body := keyBody{
		X5c: []string{}, Kty: k.Kty, Use: k.Use, Kid: k.Kid,
		Nbf: x.number(k.Nbf), Exp: x.number(k.Exp), E: orNull(k.E), N: orNull(k.N),
	}
	if k.Kty == ktyOct {
		body.Kty = x.s.config.Switches.octSpelling()
	}
	return body
}

func (x *exchange) bareKey(k Key) keyBody {
	body := x.keyBody(k)
	body.Context = x.context("microsoft.graph.trustFrameworkKey")
	return body
}

func (x *exchange) keySetBody(set KeySet) keySetBody {
	keys := []keyBody{}
	for _, k := range set.Keys {
		keys = append(keys, x.keyBody(k))
	}
	return keySetBody{ID: set.ID, Keys: &keys}
}

func (x *exchange) number(p *int64) any {
	switch {
	case p == nil:
		return nil
	case x.s.config.Switches.NumbersAsStrings:
		return strconv.FormatInt(*p, 10)
	default:
		return *p
	}
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
