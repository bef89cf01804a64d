// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package conformance

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// checkMix wants a key that doesn't fit into a set with a key like octSig to be
// refused.
func checkMix(body string, codes ...string) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		n, _, err := s.keySet(ctx, "", octSig)
		if err != nil {
			return err
		}
		a, err := s.generate(ctx, n, body)
		if err != nil {
			return err
		}
		return a.refused(codes...)
	}
}

func checkExpired(ctx context.Context, s *session) error {
	n, err := s.make(ctx, "")
	if err != nil {
		return err
	}
	at := s.now()
	a, err := s.generate(ctx, n, dated(at-2*day, at-day))
	if err != nil {
		return err
	}
	return a.refused()
}

func checkActive(ctx context.Context, s *session) error {
	n, made, err := s.keySet(ctx, "", octSig)
	if err != nil {
		return err
	}
	if err := s.active(ctx, n, "/getActiveKey", made[0]); err != nil {
		return fmt.Errorf("an undated key alone: %w", err)
	}
	at := s.now()
	for _, nbf := range []int64{at - hour, at - day, at + day} { // the last two must not take over
		kid, err := s.key(ctx, n, begun(nbf))
		if err != nil {
			return err
		}
		made = append(made, kid)
	}
	for _, form := range []string{"/getActiveKey", "/getActiveKey()"} {
		if err := s.active(ctx, n, form, made[1]); err != nil {
			return fmt.Errorf("of an undated key and keys that began an hour ago, a day ago, and tomorrow: %w", err)
		}
	}
	return nil
}

// active wants a key to be the active one, bare.
func (s *session) active(ctx context.Context, n setName, form, kid string) error {
	_, err := s.until(ctx, n.path(form), func(a answer) error {
		if err := a.want(http.StatusOK); err != nil {
			return err
		}
		got, err := readKey(a.object())
		if err == nil && got != kid {
			err = fmt.Errorf("another key is active")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", a.request, err)
		}
		return nil
	})
	return err
}

func checkKeysV2(ctx context.Context, s *session) error {
	n, made, err := s.keySet(ctx, "", octSig, octSig)
	if err != nil {
		return err
	}
	if _, err := s.until(ctx, n.path("/keys_v2"), func(a answer) error {
		keys, ok := a.list("value")
		got := kids(keys)
		slices.Sort(got)
		if want := slices.Sorted(slices.Values(made)); !ok || !slices.Equal(got, want) {
			return fmt.Errorf("%w, with %d keys of %d", a.unexpected(), len(keys), len(want))
		}
		for _, key := range keys {
			if err := readKeyV2(key); err != nil {
				return fmt.Errorf("%s: %w", a.request, err)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	_, err = s.until(ctx, n.path("/keys_v2/"+url.PathEscape(made[0])), func(a answer) error {
		if err := a.want(http.StatusOK); err != nil {
			return err
		}
		err := readKeyV2(unwrapped(a))
		if err == nil && text(unwrapped(a), "kid") != made[0] {
			err = fmt.Errorf("another key than the one asked for")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", a.request, err)
		}
		return nil
	})
	return err
}

// unwrapped is the key in an answer of keys_v2/{kid}: the metadata has it bare,
// the documented example in a value member.
func unwrapped(a answer) object {
	key := a.object()
	if inner, ok := key["value"].(object); ok {
		return inner
	}
	return key
}

func readKeyV2(key object) error {
	if _, err := readKey(key); err != nil {
		return err
	}
	if status := text(key, "status"); status != "enabled" && status != "disabled" {
		return fmt.Errorf("the status is %q", status)
	}
	return nil
}

func checkStatus(ctx context.Context, s *session) error {
	n, made, err := s.keySet(ctx, "", octSig, begun(s.now()-hour))
	if err != nil {
		return err
	}
	for _, step := range []struct{ status, active string }{{"disabled", made[0]}, {"enabled", made[1]}} {
		a, err := s.patch(ctx, n, made[1], `{"status":"`+step.status+`"}`)
		if err != nil {
			return err
		}
		if err := a.want(http.StatusNoContent); err != nil {
			return err
		}
		if _, err := s.until(ctx, n.path("/keys_v2/"+url.PathEscape(made[1])), hasStatus(step.status)); err != nil {
			return err
		}
		if err := s.active(ctx, n, "/getActiveKey", step.active); err != nil {
			return fmt.Errorf("after the newer key was %s: %w", step.status, err)
		}
	}
	return nil
}

func hasStatus(status string) func(answer) error {
	return func(a answer) error {
		if got := text(unwrapped(a), "status"); got != status {
			return fmt.Errorf("%w: the key's status is %q", a.unexpected(), got)
		}
		return nil
	}
}

func checkDelete(ctx context.Context, s *session) error {
	n, _, err := s.keySet(ctx, "", octSig)
	if err != nil {
		return err
	}
	return s.remove(ctx, n)
}

func checkBackup(ctx context.Context, s *session) error {
	n, _, err := s.keySet(ctx, "", octSig)
	if err != nil {
		return err
	}
	if err := s.remove(ctx, n); err != nil {
		return err
	}
	if err := s.watch(ctx, func(ctx context.Context) error {
		set, err := s.listed(ctx, n.backup())
		if err == nil && set == nil {
			err = fmt.Errorf("the listing has no backup")
		}
		return err
	}).err; err != nil {
		return err
	}
	if _, err := s.until(ctx, n.backup().path(""), func(a answer) error {
		if keys, _ := a.list("keys"); len(keys) == 0 {
			return fmt.Errorf("%w, and no key", a.unexpected())
		}
		return nil
	}); err != nil {
		return err
	}
	return s.remove(ctx, n.backup())
}
