output "gantt" {
  description = "The chart as a fenced code block, for Markdown that renders Mermaid, such as GitHub's."
  value       = "```mermaid\n${local.chart}```\n"
}

output "mermaid" {
  description = "The chart alone."
  value       = local.chart
}
