"""A year in one row."""

# From this year on only those count as participants who defer so much: ticket 88.
FIRST_YEAR_OF_MINIMUM, MINIMUM = 2027, 0.04


def summarize(year, workforce):
    people = [person for _, person in sorted(workforce.items())]
    minimum = MINIMUM if year >= FIRST_YEAR_OF_MINIMUM else 0.0
    participants = sum(1 for person in people if person.enrolled and person.deferral >= minimum)
    payroll = round(sum(person.salary for person in people), 2)
    deferrals = round(sum(person.salary * person.deferral for person in people), 2)
    return [year, len(people), payroll, participants / len(people) if people else 0.0, deferrals]
