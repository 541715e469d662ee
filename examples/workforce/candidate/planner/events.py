"""What happens in a year, one step after the other."""

from .chance import Chance
from .people import Entry, Person

HIGHEST_LEVEL = 5
HIGHEST_DEFERRAL = 0.1


class Year:
    def __init__(self, settings, year, workforce, registry):
        self.settings, self.year = settings, year
        self.workforce, self.registry = workforce, registry
        self.chance = Chance(settings.seed, year)
        self.events = []

    def simulate(self, target):
        self.let_go()
        self.promote_and_raise()
        self.hire(target)
        self.enroll()
        return self.events

    def happened(self, employee, kind, amount):
        self.events.append([self.year, len(self.events) + 1, employee, kind, amount])

    def let_go(self):
        for employee in sorted(self.workforce):
            if self.chance.of(employee, "leaves") < self.settings.termination_rate:
                self.happened(employee, "termination", self.workforce.pop(employee).salary)
                self.registry[employee].left_in = self.year

    def promote_and_raise(self):
        for employee, person in sorted(self.workforce.items()):
            may_rise = person.level < HIGHEST_LEVEL
            if may_rise and self.chance.of(employee, "promoted") < self.settings.promotion_rate:
                person.level += 1
                person.salary = round(person.salary * 1.08, 2)
                self.happened(employee, "promotion", person.salary)
            person.salary = round(person.salary * (1 + self.settings.merit_rate), 2)
            self.happened(employee, "raise", person.salary)

    def hire(self, target):
        for number in range(1, target - len(self.workforce) + 1):
            employee = f"E{self.year}-{number:04}"
            level = 1 + int(self.chance.of(employee, "level") * 3)
            self.workforce[employee] = Person(level, round(40000 * 1.25**level, 2), False, 0.0)
            self.registry[employee] = Entry(self.year)
            self.happened(employee, "hire", self.workforce[employee].salary)

    def enroll(self):
        for employee, person in sorted(self.workforce.items()):
            if not person.enrolled and self.chance.of(employee, "enrolled") < self.settings.enrollment_rate:
                person.enrolled, person.deferral = True, 0.03
                self.registry[employee].enrolled_in = self.year
                self.happened(employee, "enrollment", person.deferral)
            elif person.enrolled and person.deferral < HIGHEST_DEFERRAL:
                person.deferral = round(person.deferral + 0.01, 2)
                self.happened(employee, "escalation", person.deferral)
