// Copyright (c) The terraform-provider-trustframework Authors
// SPDX-License-Identifier: MPL-2.0

package rotation

import (
	"container/heap"
	"slices"
	"sort"
	"time"

	"github.com/trustframework/terraform-provider-trustframework/internal/trustframework"
)

// Turn is a time in which one key of a set is active, or none.
type Turn struct {
	// From is when it begins; it ends with the next one.
	From time.Time
	// Key is the active key, by the rule of trustframework.KeySet.ActiveKey; nil if there is none.
	Key *trustframework.Key
}

// Turns returns which key of a set is active from a given time on, as long as nothing is made, disabled or enabled. The
// first turn begins at that time, and two in a row have two keys.
func Turns(keys []trustframework.Key, from time.Time) []Turn {
	coming, changes := make([]int, 0, len(keys)), []int64{from.Unix()}
	for i, k := range keys {
		if !usable(k, from) {
			continue
		}
		coming = append(coming, i)
		for _, date := range []*int64{k.Nbf, k.Exp} {
			if date != nil && *date > from.Unix() {
				changes = append(changes, *date)
			}
		}
	}
	slices.SortStableFunc(coming, func(a, b int) int { return compareStart(keys[a], keys[b]) })
	slices.Sort(changes)
	var turns []Turn
	valid := &newestFirst{keys: keys}
	for _, at := range slices.Compact(changes) {
		for len(coming) > 0 && start(keys[coming[0]]) <= at {
			heap.Push(valid, coming[0])
			coming = coming[1:]
		}
		for valid.Len() > 0 && !usable(keys[valid.order[0]], time.Unix(at, 0)) {
			heap.Pop(valid)
		}
		var active *trustframework.Key
		if valid.Len() > 0 {
			active = &keys[valid.order[0]]
		}
		if len(turns) == 0 || turns[len(turns)-1].Key != active {
			turns = append(turns, Turn{From: time.Unix(at, 0), Key: active})
		}
	}
	turns[0].From = from
	return turns
}

// TurnAt returns the place of the turn that a time lies in, which isn't before the first one.
func TurnAt(turns []Turn, at time.Time) int {
	return sort.Search(len(turns), func(i int) bool { return turns[i].From.After(at) }) - 1
}

// newestFirst is a heap of places in keys: the one with the newest nbf comes first and, of equals, the last.
type newestFirst struct {
	keys  []trustframework.Key
	order []int
}

// Len implements heap.Interface.
func (h *newestFirst) Len() int { return len(h.order) }

// Less implements heap.Interface.
func (h *newestFirst) Less(i, j int) bool {
	a, b := h.order[i], h.order[j]
	if c := compareStart(h.keys[a], h.keys[b]); c != 0 {
		return c > 0
	}
	return a > b
}

// Swap implements heap.Interface.
func (h *newestFirst) Swap(i, j int) { h.order[i], h.order[j] = h.order[j], h.order[i] }

// Push implements heap.Interface.
func (h *newestFirst) Push(place any) { h.order = append(h.order, place.(int)) } //nolint:forcetypeassert // see Turns

// Pop implements heap.Interface.
func (h *newestFirst) Pop() any {
	last := h.order[len(h.order)-1]
	h.order = h.order[:len(h.order)-1]
	return last
}
