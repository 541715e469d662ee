{
  year,
  workforce: (.people | map_values([.level, .salary, .enrolled, .deferral])),
  registry: (.registry | map_values([.hired, .left_in, .enrolled_in])),
  headcount: .headcount_at_start
}
