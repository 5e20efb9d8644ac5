import { connect } from 'app-net';

// Application code. `connect` lets other processes of this user call a function. In this process the function stays as it is.

export const multiplyValues = connect(function multiplyValues(a: number, b: number): number {
  return a * b;
});

export const squareRoot = connect(function squareRoot(x: number): number {
  if (x < 0) throw new RangeError(`${x} has no real square root`);
  return Math.sqrt(x);
});
