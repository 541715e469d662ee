"""Price elasticity: from weekly sales and quotes to effects, scenarios and intervals. `pipeline` runs it all."""
