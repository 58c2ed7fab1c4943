/** The x with the least |A x - b|^2, by the normal equations and Gaussian elimination; a trace of ridge keeps them solvable. */
const ridge = 1e-6;

export function leastSquares(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const size = a[0]!.length;
  const rows = Array.from({ length: size }, (_, i) => {
    const row = new Array<number>(size + 1).fill(0);
    row[i] = ridge;
    return row;
  });
  for (const [index, equation] of a.entries()) {
    for (let i = 0; i < size; i++) {
      if (equation[i] === 0) continue;
      const row = rows[i]!;
      for (let j = 0; j < size; j++) row[j]! += equation[i]! * equation[j]!;
      row[size]! += equation[i]! * b[index]!;
    }
  }
  return solved(rows);
}

/** Of rows [A | b]. */
function solved(rows: number[][]): number[] {
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++)
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row;
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const top = rows[column]!;
    for (let row = column + 1; row < size; row++) {
      const factor = rows[row]![column]! / top[column]!;
      if (factor === 0) continue;
      for (let j = column; j <= size; j++) rows[row]![j]! -= factor * top[j]!;
    }
  }
  const x = new Array<number>(size).fill(0);
  for (let row = size - 1; row >= 0; row--) {
    let rest = rows[row]![size]!;
    for (let j = row + 1; j < size; j++) rest -= rows[row]![j]! * x[j]!;
    x[row] = rest / rows[row]![row]!;
  }
  return x;
}
