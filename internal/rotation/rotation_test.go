// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package rotation_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/rotation"
	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

const day = 24 * time.Hour

func start() time.Time { return time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC) }

// key is one whose dates are days since the start.
func key(kid string, nbf, exp int) trustframework.Key {
	from, to := start().Add(time.Duration(nbf)*day).Unix(), start().Add(time.Duration(exp)*day).Unix()
	return trustframework.Key{Kid: kid, Nbf: &from, Exp: &to}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	usual := rotation.Settings{RotationDays: 90, DelayDays: 1, OverlapDays: 30}
	net := usual
	net.SafetyNet = true
	longer := rotation.Settings{RotationDays: 365, DelayDays: 1, OverlapDays: 60}
	undated, foreign := trustframework.Key{Kid: "undated"}, key("foreign", -10, 500)
	disabled := key("own", 0, 120)
	disabled.Status = trustframework.StatusDisabled
	onlyNbf, onlyExp := key("own", 0, 0), key("own", 0, 120)
	onlyNbf.Exp, onlyExp.Nbf = nil, nil
	at := func(days float64) time.Time { return start().Add(time.Duration(days * float64(day))) }
	for name, row := range map[string]struct {
		settings rotation.Settings
		now      time.Time
		own, set []trustframework.Key
		force    bool
		want     string
	}{
		"nothing":                                {usual, at(0), nil, nil, false, "hurried 0..120"},
		"nothing, with a net":                    {net, at(0), nil, nil, false, "net, hurried 0..120"},
		"an undated key of another's":            {net, at(0), nil, []trustframework.Key{undated}, false, "1..121"},
		"a long key of another's":                {usual, at(0), nil, []trustframework.Key{foreign}, false, "1..121"},
		"a short key of another's":               {usual, at(0), nil, []trustframework.Key{key("foreign", -10, 0)}, false, "hurried 0..120"},
		"not due":                                {usual, at(88.9), []trustframework.Key{key("own", 0, 120)}, nil, false, ""},
		"due":                                    {usual, at(89), []trustframework.Key{key("own", 0, 120)}, nil, false, "90..210"},
		"forced":                                 {usual, at(5), []trustframework.Key{key("own", 0, 120)}, nil, true, "6..126"},
		"as late as can be":                      {usual, at(119), []trustframework.Key{key("own", 0, 120)}, nil, false, "120..240"},
		"a short key of another's, in use":       {usual, at(0.5), nil, []trustframework.Key{key("foreign", -10, 1)}, false, "late, hurried 0+12h0m0s..120+12h0m0s"},
		"too late":                               {usual, at(119.5), []trustframework.Key{key("own", 0, 120)}, nil, false, "late, hurried 119+12h0m0s..239+12h0m0s"},
		"too late, with an undated key":          {usual, at(119.5), []trustframework.Key{key("own", 0, 120), undated}, nil, false, "120+12h0m0s..240+12h0m0s"},
		"too late, with another's undated key":   {usual, at(119.5), []trustframework.Key{key("own", 0, 120)}, []trustframework.Key{undated}, false, "120+12h0m0s..240+12h0m0s"},
		"too late, with another's long key":      {usual, at(119.5), []trustframework.Key{key("own", 0, 120)}, []trustframework.Key{foreign}, false, "late, hurried 119+12h0m0s..239+12h0m0s"},
		"expired":                                {usual, at(120), []trustframework.Key{key("own", 0, 120)}, nil, false, "late, hurried 120..240"},
		"disabled":                               {usual, at(5), []trustframework.Key{disabled}, nil, false, "late, hurried 5..125"},
		"the newest counts":                      {usual, at(100), []trustframework.Key{key("new", 90, 210), key("own", 0, 120)}, nil, false, ""},
		"another's doesn't":                      {usual, at(89), []trustframework.Key{key("own", 0, 120)}, []trustframework.Key{foreign}, false, "90..210"},
		"a longer overlap is due earlier":        {longer, at(59), []trustframework.Key{key("own", 0, 120)}, nil, false, "60..485"},
		"a longer rotation isn't due later":      {longer, at(58.9), []trustframework.Key{key("own", 0, 120)}, nil, false, ""},
		"a longer overlap than the next key's":   {rotation.Settings{RotationDays: 50, DelayDays: 7, OverlapDays: 90}, at(44), []trustframework.Key{key("own", 0, 81), key("next", 60, 141)}, nil, false, "60+1s..200+1s"},
		"the same, before its time":              {rotation.Settings{RotationDays: 50, DelayDays: 7, OverlapDays: 90}, at(41), []trustframework.Key{key("own", 0, 81), key("next", 60, 141)}, nil, true, "48..188"},
		"only an nbf":                            {usual, at(89), []trustframework.Key{onlyNbf}, nil, false, "90..210"},
		"only an exp":                            {usual, at(89), []trustframework.Key{onlyExp}, nil, false, "90..210"},
		"only an exp, not due":                   {usual, at(88.9), []trustframework.Key{onlyExp}, nil, false, ""},
		"a part of a second":                     {usual, at(89).Add(time.Millisecond), []trustframework.Key{key("own", 0, 120)}, nil, false, "90+1s..210+1s"},
		"another of its own is long enough":      {rotation.Settings{RotationDays: 60, DelayDays: 20, OverlapDays: 21}, at(2), []trustframework.Key{key("short", 3, 8), key("long", 1, 82)}, nil, false, "22..103"},
		"disabled, the next published":           {usual, at(89.5), []trustframework.Key{disabled, key("next", 90, 210)}, nil, false, "late, hurried 89+12h0m0s..209+12h0m0s"},
		"the same, with a net":                   {net, at(89.5), []trustframework.Key{undated, disabled, key("next", 90, 210)}, nil, false, ""},
		"the same, and another's signs":          {usual, at(89.5), []trustframework.Key{disabled, key("next", 90, 210)}, []trustframework.Key{foreign}, false, ""},
		"the same, in the time of another clock": {usual, at(90 - 1./1440), []trustframework.Key{disabled, key("next", 90, 210)}, nil, false, ""},
		"the same, and one that bridges it":      {usual, at(89.5), []trustframework.Key{disabled, key("next", 90, 210), key("bridge", 89, 209)}, nil, false, ""},
		"a gap to come":                          {usual, at(5), []trustframework.Key{key("own", -100, 10), key("next", 200, 320)}, nil, false, "6..126"},
		"a gap that is closed":                   {usual, at(8), []trustframework.Key{key("own", -100, 10), key("next", 200, 320), key("bridge", 6, 200)}, nil, false, ""},
		"a gap that a chain closes":              {usual, at(8), []trustframework.Key{key("own", -100, 10), key("next", 200, 320), key("a", 6, 50), key("b", 40, 200)}, nil, false, ""},
		"a delay beyond the next key's end":      {rotation.Settings{RotationDays: 130, DelayDays: 120, OverlapDays: 121}, at(44), []trustframework.Key{key("own", 0, 81), key("next", 60, 141)}, nil, false, "late, hurried 60+1s..311+1s"},
		"the set is late to show":                {usual, at(10), []trustframework.Key{key("own", 0, 120)}, []trustframework.Key{}, false, ""},
		"the net is missing":                     {net, at(10), []trustframework.Key{key("own", 0, 120)}, nil, false, "net"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := row.settings.Decide(row.now, row.own, row.set, row.force)
			if got := describe(d); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if d.Needed() != (row.want != "") {
				t.Errorf("needed: %t", d.Needed())
			}
		})
	}
}

func describe(d rotation.Decision) (text string) {
	add := func(s string) {
		if text != "" {
			text += ", "
		}
		text += s
	}
	if d.SafetyNet {
		add("net")
	}
	if d.Late {
		add("late")
	}
	if d.Due {
		dates := daysSinceStart(d.Nbf) + ".." + daysSinceStart(d.Exp)
		if d.Hurried {
			add("hurried " + dates)
		} else {
			add(dates)
		}
	}
	return text
}

// daysSinceStart is a date as days since the start, and what is left of a day: "90", "90+1s".
func daysSinceStart(date int64) string {
	since := time.Unix(date, 0).Sub(start())
	if rest := since % day; rest != 0 {
		return fmt.Sprintf("%d+%s", since/day, rest)
	}
	return fmt.Sprint(int64(since / day))
}

// TestDecide_TenYears makes every run of pipelines that run daily, weekly or late, with settings that change or don't, and looks at
// every moment of ten years: that something signs, that the delay is held, that what was signed can be verified, and that there are
// as many keys as the times of the runs ask for.
func TestDecide_TenYears(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 11)) //nolint:gosec // it must be repeatable
		if problem := tenYears(random); problem != "" {
			t.Fatalf("seed %d: %s", seed, problem)
		}
	}
}

func tenYears(random *rand.Rand) string {
	draw := func(net bool) rotation.Settings {
		s := rotation.Settings{DelayDays: random.Int64N(15), SafetyNet: net}
		s.OverlapDays, s.RotationDays = s.DelayDays+1+random.Int64N(60), s.DelayDays+1+random.Int64N(200)
		return s
	}
	net, changes, most := random.IntN(2) == 0, random.IntN(2) == 0, 1+random.IntN(40)
	settings := draw(net)
	var keys []trustframework.Key
	var last, end time.Time // when the newest key becomes valid, and until when something signs without a gap
	made, asked := 0, 0
	var due time.Time
	for now := start(); now.Before(start().AddDate(10, 0, 0)); {
		if changes && random.IntN(100) == 0 {
			settings = draw(net)
			due, _ = settings.DueAt(now, keys, nil)
		}
		d := settings.Decide(now, keys, nil, false)
		if now.Before(due) == d.Due {
			return fmt.Sprintf("%s, due %s: decided %+v", now, due, d)
		}
		if !now.Before(due) {
			asked++
		}
		if d.SafetyNet {
			keys = append(keys, trustframework.Key{Kid: "net"})
		}
		if d.Due {
			nbf, exp := time.Unix(d.Nbf, 0).UTC(), time.Unix(d.Exp, 0).UTC()
			overlap := time.Duration(settings.OverlapDays) * day
			late := now.Sub(due)
			switch {
			case made > 0 && net && settings.DelayDays > 0 && nbf.Sub(now) < time.Duration(settings.DelayDays)*day:
				return fmt.Sprintf("%s: the delay isn't held: %s", now, nbf)
			case made > 0 && late <= overlap && nbf.After(end):
				return fmt.Sprintf("%s: nothing signs from %s until %s", now, end, nbf)
			case made > 0 && late <= overlap && end.Sub(nbf) < overlap-late-time.Second && !nbf.Equal(last.Add(time.Second)):
				return fmt.Sprintf("%s: the key before is valid for %s more, and %s late", now, end.Sub(nbf), late)
			}
			made++
			last, end = nbf, exp
			keys = append(rotation.Usable(keys, now), trustframework.Key{Kid: fmt.Sprint(made), Nbf: &d.Nbf, Exp: &d.Exp})
			// The formula: a key is due a rotation less the delay after it became valid.
			due = nbf.Add(time.Duration(settings.RotationDays-settings.DelayDays) * day)
			if at, _ := settings.DueAt(now, keys, nil); !at.Equal(due) {
				return fmt.Sprintf("%s: the next is due at %s, want %s", now, at, due)
			}
		}
		// Whatever was made, it is enough: an apply never leaves anything to the next one of the same moment.
		if again := settings.Decide(now, keys, nil, false); d.Needed() && again.Needed() {
			return fmt.Sprintf("%s, %+v: still needed after %+v: %+v", now, settings, d, again)
		}
		step := day
		switch random.IntN(4) {
		case 0:
			step = 7 * day
		case 1:
			step = time.Duration(1 + random.Int64N(int64(most)*int64(day)))
		}
		now = now.Add(step)
	}
	if made != asked {
		return fmt.Sprintf("%d keys, want %d", made, asked)
	}
	return ""
}
