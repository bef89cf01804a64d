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
// material isn't readable (documented). A key_v2 has a status besides.
type keyBody struct {
	Context string   `json:"@odata.context,omitempty"`
	K       *string  `json:"k"`
	X5c     []string `json:"x5c"`
	X5t     string   `json:"x5t,omitempty"`
	Kty     string   `json:"kty"`
	Use     string   `json:"use"`
	Exp     any      `json:"exp"`
	Nbf     any      `json:"nbf"`
	Kid     string   `json:"kid"`
	E       *string  `json:"e"`
	N       *string  `json:"n"`
	Status  string   `json:"status,omitempty"`
}

type keyV2ListBody struct {
	Context string    `json:"@odata.context"`
	Value   []keyBody `json:"value"`
}

// keyV2Type is the @odata.type in the documented example of keys_v2/{kid}.
const keyV2Type = "#microsoft.graph.trustFrameworkKey_v2"

// wrappedKeyV2Body is a key_v2 as the documented example has it.
type wrappedKeyV2Body struct {
	Value wrappedKeyV2 `json:"value"`
}

type wrappedKeyV2 struct {
	Type string `json:"@odata.type"`
	keyBody
}

// context is the @odata.context of an answer. Its form is observed for keys
// and inferred from OData's convention for key sets.
func (x *exchange) context(of string) string {
	return x.origin() + "/beta/$metadata#" + of
}

// keysV2Context follows OData's convention for what an entity contains
// (inferred).
func (x *exchange) keysV2Context(keySet string) string {
	return x.context("trustFramework/keySets('" + keySet + "')/keys_v2")
}

func (x *exchange) keyBody(k Key) keyBody {
	body := keyBody{
		X5c: append([]string{}, k.X5C...), X5t: k.X5T, Kty: k.Kty, Use: k.Use, Kid: k.Kid,
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

func (x *exchange) keyV2Body(k Key) keyBody {
	body := x.keyBody(k)
	body.Status = k.Status
	return body
}

func (x *exchange) keySetBody(set KeySet) keySetBody {
	keys := []keyBody{}
	for _, k := range set.Keys {
		body := x.keyBody(k)
		if x.s.config.Switches.StatusInListing {
			body = x.keyV2Body(k)
		}
		keys = append(keys, body)
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
