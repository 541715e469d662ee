{
  version: 2,
  year,
  headcount_at_start: .headcount,
  people: (.workforce | map_values({level: .[0], salary: .[1], enrolled: .[2], deferral: .[3]})),
  registry: (.registry | map_values({hired: .[0], left_in: .[1], enrolled_in: .[2]}))
}
