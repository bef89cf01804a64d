terraform {
  required_version = ">= 1.11"

  required_providers {
    trustframework = {
      source = "trustframework/trustframework"
    }
  }
}

data "trustframework_key_set" "this" {
  name = var.key_set_id
}

locals {
  # All times are RFC 3339 dates in UTC and to the second: sorted as text, they are sorted by time.
  now  = coalesce(var.now, plantimestamp())
  from = timeadd(local.now, "-${var.past_days * 24}h")
  to   = timeadd(local.now, "${var.future_days * 24}h")

  # A key without a date is valid from, or to, the edge of the chart. Of the keys that can be used at a time the last in
  # order of rank is active: the one with the newest nbf; keys without come first, and of equals the one made last counts.
  every = [for i, key in data.trustframework_key_set.this.keys : {
    rank     = format("%s %06d", key.activates_at == null ? "" : key.activates_at, i)
    kid      = replace(key.kid, "/[^A-Za-z0-9_.-]/", "_")
    disabled = key.status == "disabled"
    nbf      = key.activates_at
    exp      = key.expires_at
    start    = key.activates_at == null ? local.from : sort([local.from, key.activates_at])[1]
    end      = key.expires_at == null ? local.to : sort([local.to, key.expires_at])[0]
  }]
  keys  = { for key in local.every : key.rank => key if timecmp(key.start, key.end) < 0 }
  ranks = sort(keys(local.keys))
  short = length(distinct([for key in local.keys : substr(key.kid, 0, 8)])) == length(local.keys)
  names = { for rank, key in local.keys : rank => "Key ${local.short ? substr(key.kid, 0, 8) : key.kid}" }

  # From each change to the next one key is active, or none, whose rank is "" here.
  changes = distinct(sort(flatten([local.from, [for key in local.keys : [key.start, key.end]]])))
  usable = [for at in local.changes : [for rank in local.ranks : rank
  if !local.keys[rank].disabled && timecmp(local.keys[rank].start, at) <= 0 && timecmp(local.keys[rank].end, at) > 0]]
  active = [for ranks in local.usable : try(ranks[length(ranks) - 1], "")]
  # Where another key becomes active, and the end.
  turns = [for i, at in local.changes : i if timecmp(at, local.to) < 0 && (i == 0 || local.active[i] != local.active[max(i - 1, 0)])]
  ends  = concat([for i in local.turns : local.changes[i] if i != 0], [local.to])

  bars = [for rank in local.ranks : format("%s, %s :%s%s, %s",
    local.names[rank], join(", ", compact([
      local.keys[rank].disabled ? "disabled" : "",
      local.keys[rank].nbf == null && local.keys[rank].exp == null ? "no dates" : "",
      local.keys[rank].nbf == null ? "" : "from ${local.day[local.keys[rank].nbf]}",
      local.keys[rank].exp == null ? "" : "until ${local.day[local.keys[rank].exp]}",
    ])),
    local.keys[rank].disabled || timecmp(local.keys[rank].end, local.now) <= 0 ? "done, " : "",
    local.time[local.keys[rank].start], local.time[local.keys[rank].end],
  )]
  spans = [for n, i in local.turns : format("%s, %s, %s",
    local.active[i] == "" ? "No key :crit" : "${local.names[local.active[i]]} :active", local.time[local.changes[i]], local.time[local.ends[n]],
  )]

  # Mermaid's own way to write a time: a task may have colons in its dates, but not in its name.
  dates = concat([local.from, local.now, local.to], flatten([for key in local.keys : [[for date in [key.nbf, key.exp] : date if date != null], key.start, key.end]]))
  time  = { for date in distinct(local.dates) : date => formatdate("YYYY-MM-DD hh:mm:ss", date) }
  day   = { for date in distinct(local.dates) : date => formatdate("YYYY-MM-DD", date) }

  left_out = length(local.every) - length(local.keys)
  chart = join("\n", concat(
    [
      "gantt",
      "    title ${replace(data.trustframework_key_set.this.id, "/[^A-Za-z0-9_.-]/", "_")}, times in UTC${local.left_out == 0 ? "" : ", ${local.left_out} outside these dates left out"}",
      "    dateFormat YYYY-MM-DD HH:mm:ss",
      "    axisFormat %Y-%m-%d",
      "    todayMarker off",
    ],
    length(local.bars) == 0 ? [] : ["    section Valid"], [for bar in local.bars : "    ${bar}"],
    ["    section Active"], [for span in local.spans : "    ${span}"],
    ["    section Time", "    Now :milestone, ${local.time[local.now]}, 0d", ""],
  ))
}
