"""Ridge regression by its normal equations, solved by Cholesky's factorization.

Sums are written out: the built-in `sum` adds in another way since Python 3.12, and so gives other last digits.
"""
import math


class SingularError(Exception):
    """The equations have no unique solution."""


def dot(left, right):
    """The sum of the products of two columns, from the first row to the last."""
    total = 0.0
    for one, other in zip(left, right):
        total += one * other
    return total


def mean_and_deviation(values):
    """The mean of a column, and its standard deviation (of all, not of a sample)."""
    total = 0.0
    for value in values:
        total += value
    mean = total / len(values)
    total = 0.0
    for value in values:
        total += (value - mean) * (value - mean)
    return mean, math.sqrt(total / len(values))


def cholesky(matrix):
    """The lower triangle whose product with its transpose is the matrix, of which the lower half is read."""
    size = len(matrix)
    lower = [[0.0] * size for _ in range(size)]
    for row in range(size):
        for column in range(row + 1):
            left = matrix[row][column]
            for inner in range(column):
                left -= lower[row][inner] * lower[column][inner]
            if row != column:
                lower[row][column] = left / lower[column][column]
            elif left <= 0.0:
                raise SingularError("the matrix is not positive definite: row %d" % row)
            else:
                lower[row][row] = math.sqrt(left)
    return lower


def solve(matrix, right):
    """The solution of a system of equations whose matrix is symmetric and positive definite."""
    lower = cholesky(matrix)
    size = len(matrix)
    middle = []
    for row in range(size):
        left = right[row]
        for column in range(row):
            left -= lower[row][column] * middle[column]
        middle.append(left / lower[row][row])
    solution = [0.0] * size
    for row in reversed(range(size)):
        left = middle[row]
        for column in range(row + 1, size):
            left -= lower[column][row] * solution[column]
        solution[row] = left / lower[row][row]
    return solution


def normal_equations(rows, targets, penalty):
    """Matrix and right side of the equations. The first column is the intercept, which is not penalized."""
    columns = list(zip(*rows))
    matrix = []
    for number, column in enumerate(columns):
        matrix.append([dot(column, other) / len(rows) for other in columns[: number + 1]])
        if number > 0:
            matrix[number][number] += penalty
    return matrix, [dot(column, targets) / len(rows) for column in columns]


def fit(rows, targets, penalty):
    """The coefficients that explain the targets by the rows best, large ones being punished."""
    matrix, right = normal_equations(rows, targets, penalty)
    return solve(matrix, right)
