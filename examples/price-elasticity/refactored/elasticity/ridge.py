"""Ridge regression by its normal equations, solved by Cholesky's factorization.

A regression is fitted many times to rows that are drawn from the same ones, so the products within each row are
made once, and only added up for each drawing: from the first row that was drawn to the last, as before.
"""
import math
from operator import add, mul


class SingularError(Exception):
    """The equations have no unique solution."""


def total(values):
    """The sum from the first value to the last. The built-in `sum` adds in another way since Python 3.12."""
    found = 0.0
    for value in values:
        found += value
    return found


def dot(left, right):
    """The sum of the products of two columns."""
    return total(map(mul, left, right))


def mean_and_deviation(values):
    """The mean of a column, and its standard deviation (of all, not of a sample)."""
    mean = total(values) / len(values)
    return mean, math.sqrt(total((value - mean) * (value - mean) for value in values) / len(values))


def reduced(value, left, right):
    """A value less the products of two rows, one after the other."""
    for product in map(mul, left, right):
        value -= product
    return value


def cholesky(matrix):
    """The lower triangle whose product with its transpose is the matrix, of which the lower half is read."""
    size = len(matrix)
    lower = []
    for row in range(size):
        values = []
        for column in range(row):
            left = reduced(matrix[row][column], values, lower[column][:column])
            values.append(left / lower[column][column])
        square = reduced(matrix[row][row], values, values)
        if square <= 0.0:
            raise SingularError("the matrix is not positive definite: row %d" % row)
        lower.append(values + [math.sqrt(square)] + [0.0] * (size - row - 1))
    return lower


def solve(matrix, right):
    """The solution of a system of equations whose matrix is symmetric and positive definite."""
    lower = cholesky(matrix)
    middle = []
    for row, value in enumerate(right):
        middle.append(reduced(value, lower[row], middle) / lower[row][row])
    solution = [0.0] * len(right)
    for row in reversed(range(len(right))):
        below = range(row + 1, len(right))
        left = reduced(middle[row], (lower[other][row] for other in below), solution[row + 1 :])
        solution[row] = left / lower[row][row]
    return solution


class Regression:
    """Rows and targets. The first column of the rows is the intercept, which is not penalized."""

    def __init__(self, rows, targets, penalty):
        self.penalty = penalty
        self.width = len(rows[0])
        self.products = [self.products_of(row + [target]) for row, target in zip(rows, targets)]

    @staticmethod
    def products_of(values):
        """The products of all pairs in a row: one line of the matrix after the other, the target's last."""
        return [one * other for number, one in enumerate(values) for other in values[: number + 1]]

    def equations(self, drawn):
        """Matrix and right side of the normal equations for the rows with these numbers."""
        sums, count = [0.0] * len(self.products[0]), 0
        for number in drawn:
            sums = list(map(add, sums, self.products[number]))
            count += 1
        means = iter([value / count for value in sums])
        lines = [[next(means) for _ in range(length)] for length in range(1, self.width + 1)]
        for number in range(1, self.width):
            lines[number][number] += self.penalty
        return lines, [next(means) for _ in range(self.width)]

    def fit(self, drawn):
        """The coefficients for the rows with these numbers."""
        return solve(*self.equations(drawn))


def normal_equations(rows, targets, penalty):
    """Matrix and right side of the equations for all rows."""
    return Regression(rows, targets, penalty).equations(range(len(rows)))


def fit(rows, targets, penalty):
    """The coefficients that explain the targets by the rows best, large ones being punished."""
    return Regression(rows, targets, penalty).fit(range(len(rows)))
