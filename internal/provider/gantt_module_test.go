// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/emulator"
)

// ganttKey is a key that a chart is to show.
type ganttKey struct {
	kid      string
	nbf, exp time.Duration // since the start of the test's world; 0 means none
	disabled bool
}

// TestAccModule_KeySetGantt compares the whole text of the charts that examples/modules/key-set-gantt draws of known keys.
func TestAccModule_KeySetGantt(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	const head = "gantt\n    title B2C_1A_Signing, times in UTC%s\n    dateFormat YYYY-MM-DD HH:mm:ss\n    axisFormat %%Y-%%m-%%d\n    todayMarker off\n"
	const now = "    section Time\n    Now :milestone, 2030-01-01 12:00:00, 0d\n"
	for name, row := range map[string]struct {
		keys      []ganttKey
		arguments string
		// left is how many keys are outside the chart.
		left string
		want string
	}{
		"an empty set": {
			want: `    section Active
    No key :crit, 2029-10-03 12:00:00, 2031-01-01 12:00:00
`,
		},
		"a key without dates": {
			keys: []ganttKey{{kid: "aaaaaaaaaa"}},
			want: `    section Valid
    Key aaaaaaaa, no dates :2029-10-03 12:00:00, 2031-01-01 12:00:00
    section Active
    Key aaaaaaaa :active, 2029-10-03 12:00:00, 2031-01-01 12:00:00
`,
		},
		"a rotation with a safety net, its first key expired": {
			keys: []ganttKey{
				{kid: "-net_aaaaaa"},
				{kid: "first", nbf: -80 * day, exp: -day},
				{kid: "second", nbf: -20 * day, exp: 60 * day},
				{kid: "third", nbf: 30 * day, exp: 110 * day},
			},
			want: `    section Valid
    Key -net_aaa, no dates :2029-10-03 12:00:00, 2031-01-01 12:00:00
    Key first, from 2029-10-13, until 2029-12-31 :done, 2029-10-13 12:00:00, 2029-12-31 12:00:00
    Key second, from 2029-12-12, until 2030-03-02 :2029-12-12 12:00:00, 2030-03-02 12:00:00
    Key third, from 2030-01-31, until 2030-04-21 :2030-01-31 12:00:00, 2030-04-21 12:00:00
    section Active
    Key -net_aaa :active, 2029-10-03 12:00:00, 2029-10-13 12:00:00
    Key first :active, 2029-10-13 12:00:00, 2029-12-12 12:00:00
    Key second :active, 2029-12-12 12:00:00, 2030-01-31 12:00:00
    Key third :active, 2030-01-31 12:00:00, 2030-04-21 12:00:00
    Key -net_aaa :active, 2030-04-21 12:00:00, 2031-01-01 12:00:00
`,
		},
		"a disabled key and a gap": {
			keys: []ganttKey{
				{kid: "first", nbf: -20 * day, exp: 10 * day},
				{kid: "second", nbf: 5 * day, exp: 50 * day, disabled: true},
				{kid: "third", nbf: 20*day + time.Second, exp: 50 * day},
			},
			want: `    section Valid
    Key first, from 2029-12-12, until 2030-01-11 :2029-12-12 12:00:00, 2030-01-11 12:00:00
    Key second, disabled, from 2030-01-06, until 2030-02-20 :done, 2030-01-06 12:00:00, 2030-02-20 12:00:00
    Key third, from 2030-01-21, until 2030-02-20 :2030-01-21 12:00:01, 2030-02-20 12:00:00
    section Active
    No key :crit, 2029-10-03 12:00:00, 2029-12-12 12:00:00
    Key first :active, 2029-12-12 12:00:00, 2030-01-11 12:00:00
    No key :crit, 2030-01-11 12:00:00, 2030-01-21 12:00:01
    Key third :active, 2030-01-21 12:00:01, 2030-02-20 12:00:00
    No key :crit, 2030-02-20 12:00:00, 2031-01-01 12:00:00
`,
		},
		"dates beyond the edges, one date only, kids that are alike": {
			keys: []ganttKey{
				{kid: "gantt--_aa", exp: 5 * day},
				{kid: "gantt--_ab", nbf: 5 * day},
				{kid: "long", nbf: -1000 * day, exp: 2000 * day},
				{kid: "expired", nbf: -40 * day, exp: -11 * day},
				{kid: "to-come", nbf: 21 * day},
			},
			arguments: "past_days = 10\nfuture_days = 20",
			left:      ", 2 outside these dates left out",
			want: `    section Valid
    Key gantt--_aa, until 2030-01-06 :2029-12-22 12:00:00, 2030-01-06 12:00:00
    Key long, from 2027-04-07, until 2035-06-24 :2029-12-22 12:00:00, 2030-01-21 12:00:00
    Key gantt--_ab, from 2030-01-06 :2030-01-06 12:00:00, 2030-01-21 12:00:00
    section Active
    Key long :active, 2029-12-22 12:00:00, 2030-01-06 12:00:00
    Key gantt--_ab :active, 2030-01-06 12:00:00, 2030-01-21 12:00:00
`,
		},
		"of equals the one made last": {
			keys:      []ganttKey{{kid: "z", nbf: day, exp: 9 * day}, {kid: "a", nbf: day, exp: 5 * day}, {kid: "strange:;,*kid"}, {kid: "b"}},
			arguments: "past_days = 1\nfuture_days = 10",
			want: `    section Valid
    Key strange_, no dates :2029-12-31 12:00:00, 2030-01-11 12:00:00
    Key b, no dates :2029-12-31 12:00:00, 2030-01-11 12:00:00
    Key z, from 2030-01-02, until 2030-01-10 :2030-01-02 12:00:00, 2030-01-10 12:00:00
    Key a, from 2030-01-02, until 2030-01-06 :2030-01-02 12:00:00, 2030-01-06 12:00:00
    section Active
    Key b :active, 2029-12-31 12:00:00, 2030-01-02 12:00:00
    Key a :active, 2030-01-02 12:00:00, 2030-01-06 12:00:00
    Key z :active, 2030-01-06 12:00:00, 2030-01-10 12:00:00
    Key b :active, 2030-01-10 12:00:00, 2030-01-11 12:00:00
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Switches{StatusInListing: true})
			w.AddKeySet("B2C_1A_Signing")
			kids := map[string]string{}
			for _, k := range row.keys {
				var spec emulator.KeySpec
				if k.nbf != 0 {
					date := in(k.nbf)
					spec.Nbf = &date
				}
				if k.exp != 0 {
					date := in(k.exp)
					spec.Exp = &date
				}
				kid := w.AddKey("B2C_1A_Signing", spec)
				w.SetKeyStatus("B2C_1A_Signing", kid, !k.disabled)
				kids[kid] = k.kid
			}
			tf := w.inProcess(t, fmt.Sprintf(`
				module "gantt" {
				  source     = "./key-set-gantt"
				  key_set_id = "Signing"
				  now        = "2030-01-01T12:00:00Z"
				  %s
				}
				output "gantt" { value = module.gantt.gantt }
				output "mermaid" { value = module.gantt.mermaid }
			`, row.arguments), renamed(kids))
			tf.takeModule("key-set-gantt")
			tf.command("init", "-input=false")
			tf.apply(true)
			got := tf.command("output", "-raw", "mermaid")
			if want := fmt.Sprintf(head, row.left) + row.want + now; got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if err := checkGantt(got); err != nil {
				t.Error(err)
			}
			if fenced := tf.command("output", "-raw", "gantt"); fenced != "```mermaid\n"+got+"```\n" {
				t.Errorf("for Markdown:\n%s", fenced)
			}
			if o, changes := tf.plan(); changes || len(o.diagnostics) > 0 {
				t.Errorf("changes: %t, %v", changes, o.diagnostics)
			}
			if writes := w.Writes(); len(writes) > 0 {
				t.Errorf("%d writes", len(writes))
			}
		})
	}
}

// TestAccModule_KeySetGantt_Arguments: without a time the chart is of that of the plan; what it can't be of is refused.
func TestAccModule_KeySetGantt_Arguments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Switches{})
	w.AddKeySet("B2C_1A_Signing")
	w.AddKey("B2C_1A_Signing", emulator.KeySpec{})
	config := "module \"gantt\" {\n  source = \"./key-set-gantt\"\n  key_set_id = \"Signing\"\n}\noutput \"mermaid\" { value = module.gantt.mermaid }\n"
	tf := w.inProcess(t, config)
	tf.takeModule("key-set-gantt")
	tf.command("init", "-input=false")
	tf.apply(true)
	if err := checkGantt(tf.command("output", "-raw", "mermaid")); err != nil {
		t.Error(err)
	}
	for argument, says := range map[string]string{
		`now = "2030-01-01T12:00:00+01:00"`: "such as 2030-01-01T12:00:00Z",
		`now = "2030-01-01T12:00:00.5Z"`:    "such as 2030-01-01T12:00:00Z",
		`now = "2030-01-01"`:                "such as 2030-01-01T12:00:00Z",
		`now = "2030-13-41T12:00:00Z"`:      "such as 2030-01-01T12:00:00Z",
		"past_days = -1":                    "from 0 to 36500",
		"past_days = 0.5":                   "from 0 to 36500",
		"future_days = 0":                   "from 1 to 36500",
		"future_days = 200000":              "from 1 to 36500",
	} {
		tf.configure(strings.Replace(config, "}", "  "+argument+"\n}", 1))
		if o := tf.apply(false); !o.has("error", "Invalid value for variable", says) {
			t.Errorf("%s: %v", argument, o.diagnostics)
		}
	}
}

// takeModule copies an example module into the configuration's folder.
func (tf *client) takeModule(name string) {
	tf.t.Helper()
	if err := os.CopyFS(filepath.Join(tf.dir, name), os.DirFS("../../examples/modules/"+name)); err != nil {
		tf.t.Fatal(err)
	}
}

// renamed gives keys other kids in what the service answers.
func renamed(kids map[string]string) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			if err != nil {
				return nil, err
			}
			body, err := io.ReadAll(resp.Body)
			if closeErr := resp.Body.Close(); err == nil {
				err = closeErr
			}
			for from, to := range kids {
				body = bytes.ReplaceAll(body, []byte(from), []byte(to))
			}
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			resp.Header.Del("Content-Length")
			return resp, err
		})
	}
}

// checkGantt holds a chart against what Mermaid takes (source: its gantt.jison): a task's name is free of colons, semicolons
// and number signs, and is no keyword and no date; its data are tags, then a start and an end. It also holds that tasks
// end after they begin, and that those of the section "Active" follow one another without a gap.
func checkGantt(chart string) error {
	const date = `\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`
	lines := strings.Split(strings.TrimSuffix(chart, "\n"), "\n")
	if lines[0] != "gantt" {
		return fmt.Errorf("begins with %q", lines[0])
	}
	setting := regexp.MustCompile(`^(title [^#:\n;%]+|dateFormat YYYY-MM-DD HH:mm:ss|axisFormat %Y-%m-%d|todayMarker off)$`)
	heading := regexp.MustCompile(`^section [^#:\n;]+$`)
	keyword := regexp.MustCompile(`(?i)^(gantt|dateFormat|inclusiveEndDates|topAxis|axisFormat|tickInterval|includes|excludes|todayMarker|weekday|title|acc|section|click|call|href|\d{4}-\d\d-\d\d|%)`)
	task := regexp.MustCompile(`^([^#:\n;%]+):(?:(?:active|done|crit), )?(` + date + `), (` + date + `)$`)
	milestone := regexp.MustCompile(`^[^#:\n;%]+:milestone, ` + date + `, 0d$`)
	section, last := "", ""
	for i, line := range lines[1:] {
		line = strings.TrimLeft(line, " ")
		parts := task.FindStringSubmatch(line)
		switch {
		case section == "" && setting.MatchString(line):
		case heading.MatchString(line):
			section = strings.TrimPrefix(line, "section ")
		case section == "Time" && milestone.MatchString(line):
		case section == "" || parts == nil || keyword.MatchString(line):
			return fmt.Errorf("line %d of section %q isn't Mermaid: %q", i+2, section, line)
		case parts[2] >= parts[3]:
			return fmt.Errorf("line %d ends before it begins: %q", i+2, line)
		case section == "Active" && last != "" && parts[2] != last:
			return fmt.Errorf("line %d begins at another time than the one before ends: %q", i+2, line)
		case section == "Active":
			last = parts[3]
		}
	}
	if section != "Time" {
		return fmt.Errorf("ends with section %q", section)
	}
	return nil
}

// TestCheckGantt shows that the check of charts sees what is wrong with them.
func TestCheckGantt(t *testing.T) {
	t.Parallel()
	const chart = "gantt\n    title A\n    section Active\n    Key a :active, 2030-01-01 12:00:00, 2030-01-02 12:00:00\n" +
		"    No key :crit, 2030-01-02 12:00:00, 2030-01-03 12:00:00\n    section Time\n    Now :milestone, 2030-01-01 12:00:00, 0d\n"
	if err := checkGantt(chart); err != nil {
		t.Fatal(err)
	}
	for old, changed := range map[string]string{
		"gantt\n":              "",
		"Key a":                "Key: a",
		"No key":               "No key; none",
		"No key :":             "No key #1 :",
		"Key a :":              "2030-01-01 :",
		"    Key":              "    section",
		"active, 2030":         "activ, 2030",
		"2030-01-03 12:00:00":  "2030-01-02 11:00:00",
		"crit, 2030-01-02 12":  "crit, 2030-01-02 13",
		"12:00:00, 2030-01-02": "12:00:00",
		"    section Time\n":   "",
		", 0d":                 "",
	} {
		if err := checkGantt(strings.Replace(chart, old, changed, 1)); err == nil {
			t.Errorf("%q in place of %q passes", changed, old)
		}
	}
}
