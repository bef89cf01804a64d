variable "key_set_id" {
  description = "The key set: its ID, or its name with or without the prefix B2C_1A_."
  type        = string
}

variable "now" {
  description = "The time that the chart is of, as an RFC 3339 date in UTC. Defaults to the time of the plan."
  type        = string
  default     = null

  # Dates of one form, which sort by time.
  validation {
    condition     = var.now == null || can(regex("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$", var.now)) && can(timeadd(var.now, "0s"))
    error_message = "Write the time in UTC and to the second, such as 2030-01-01T12:00:00Z."
  }
}

variable "past_days" {
  description = "How many days before now the chart begins. Keys that expired before that are left out."
  type        = number
  default     = 90

  validation {
    condition     = var.past_days >= 0 && var.past_days <= 36500 && var.past_days == floor(var.past_days)
    error_message = "A whole number of days, from 0 to 36500."
  }
}

variable "future_days" {
  description = "How many days after now the chart ends. Keys that become valid after that are left out."
  type        = number
  default     = 365

  validation {
    condition     = var.future_days >= 1 && var.future_days <= 36500 && var.future_days == floor(var.future_days)
    error_message = "A whole number of days, from 1 to 36500."
  }
}
