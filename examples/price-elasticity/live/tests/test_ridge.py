"""Regression: the linear algebra on systems whose solution is known."""
import random
import unittest

from stages.ridge import SingularError, cholesky, dot, fit, mean_and_deviation, normal_equations, solve

MATRIX = [[4.0, 2.0, 0.4], [2.0, 5.0, 1.0], [0.4, 1.0, 3.0]]


class Sums(unittest.TestCase):
    def test_a_dot_product(self):
        self.assertEqual(dot([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]), 32.0)
        self.assertEqual(dot([], []), 0.0)

    def test_mean_and_deviation(self):
        self.assertEqual(mean_and_deviation([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]), (5.0, 2.0))
        self.assertEqual(mean_and_deviation([3.0, 3.0]), (3.0, 0.0))


class Cholesky(unittest.TestCase):
    def test_the_triangle_squared_is_the_matrix(self):
        lower = cholesky(MATRIX)
        for row in range(3):
            for column in range(3):
                self.assertAlmostEqual(dot(lower[row], lower[column]), MATRIX[row][column], delta=1e-14)

    def test_above_the_diagonal_there_is_nothing(self):
        lower = cholesky(MATRIX)
        self.assertEqual([lower[0][1], lower[0][2], lower[1][2]], [0.0, 0.0, 0.0])
        self.assertEqual(lower[0][0], 2.0)

    def test_a_matrix_that_is_not_positive_definite_is_refused(self):
        with self.assertRaisesRegex(SingularError, "row 1"):
            cholesky([[1.0], [2.0, 1.0]])

    def test_two_equal_columns_are_refused(self):
        with self.assertRaises(SingularError):
            solve([[1.0], [1.0, 1.0]], [1.0, 1.0])


class Solving(unittest.TestCase):
    def test_the_solution_solves(self):
        right = [1.0, -2.0, 0.5]
        found = solve(MATRIX, right)
        for row, expected in zip(MATRIX, right):
            self.assertAlmostEqual(dot(row, found), expected, delta=1e-14)

    def test_the_identity_changes_nothing(self):
        self.assertEqual(solve([[1.0], [0.0, 1.0]], [3.0, -7.0]), [3.0, -7.0])


class Fitting(unittest.TestCase):
    def rows(self, count=30):
        chance = random.Random(3).random
        rows = [[1.0, chance(), chance()] for _ in range(count)]
        return rows, [2.0 - 1.5 * row[1] + 0.5 * row[2] for row in rows]

    def test_without_penalty_an_exact_line_is_found(self):
        for found, expected in zip(fit(*self.rows(), 0.0), (2.0, -1.5, 0.5)):
            self.assertAlmostEqual(found, expected, delta=1e-12)

    def test_a_penalty_shrinks_the_slopes(self):
        small, large = fit(*self.rows(), 0.01), fit(*self.rows(), 1.0)
        self.assertGreater(abs(small[1]), abs(large[1]))
        self.assertGreater(abs(large[1]), 0.0)

    def test_the_intercept_is_not_penalized(self):
        rows = [[1.0, -1.0], [1.0, 1.0]]
        self.assertAlmostEqual(fit(rows, [5.0, 5.0], 100.0)[0], 5.0, delta=1e-12)

    def test_the_equations_are_means(self):
        matrix, right = normal_equations([[1.0, 2.0], [1.0, 4.0]], [1.0, 3.0], 0.5)
        self.assertEqual([row[: number + 1] for number, row in enumerate(matrix)], [[1.0], [3.0, 10.5]])
        self.assertEqual(right, [2.0, 7.0])

    def test_a_penalty_makes_equal_columns_solvable(self):
        rows = [[1.0, value, value] for value in (-1.0, 0.0, 1.0)]
        found = fit(rows, [-2.0, 0.0, 2.0], 1e-6)
        self.assertAlmostEqual(found[1], found[2], delta=1e-6)
        self.assertAlmostEqual(found[1] + found[2], 2.0, delta=1e-5)


if __name__ == "__main__":
    unittest.main()
