// What `.filter()` writes down, evaluated over a document.
import { type JSONValue, type Value, compareValues } from "convex/values";
import { type Document, fieldOf, jsonToField } from "./document.ts";

type Expression = Record<string, JSONValue>;
type Operand = Value | undefined;

const COMPARISONS: Record<string, (order: number) => boolean> = {
  $eq: (order) => order === 0,
  $neq: (order) => order !== 0,
  $lt: (order) => order < 0,
  $lte: (order) => order <= 0,
  $gt: (order) => order > 0,
  $gte: (order) => order >= 0,
};

const ARITHMETIC: Record<
  string,
  [(a: number, b: number) => number, (a: bigint, b: bigint) => bigint]
> = {
  $add: [(a, b) => a + b, (a, b) => a + b],
  $sub: [(a, b) => a - b, (a, b) => a - b],
  $mul: [(a, b) => a * b, (a, b) => a * b],
  $div: [(a, b) => a / b, (a, b) => a / b],
  $mod: [(a, b) => a % b, (a, b) => a % b],
};

const calculate = (name: string, left: Operand, right: Operand): Value => {
  const [ofNumbers, ofBigints] = ARITHMETIC[name]!;
  if (typeof left === "number" && typeof right === "number") return ofNumbers(left, right);
  if (typeof left === "bigint" && typeof right === "bigint") return ofBigints(left, right);
  throw new Error(`${name} in a filter takes two numbers of one kind.`);
};

const negative = (value: Operand): Value =>
  calculate("$sub", typeof value === "bigint" ? 0n : 0, value);

const isTrue = (value: Operand): boolean => {
  if (typeof value === "boolean") return value;
  throw new Error("A filter is made of boolean expressions.");
};

/** @throws {Error} for an expression that there is not */
const evaluate = (expression: JSONValue, document: Document): Operand => {
  const [name = "", argument = null] = Object.entries(expression as Expression)[0] ?? [];
  const both = (): [Operand, Operand] => {
    const [left = null, right = null] = argument as JSONValue[];
    return [evaluate(left, document), evaluate(right, document)];
  };
  if (Object.hasOwn(COMPARISONS, name)) return COMPARISONS[name]!(compareValues(...both()));
  if (Object.hasOwn(ARITHMETIC, name)) return calculate(name, ...both());
  switch (name) {
    case "$and":
      return (argument as JSONValue[]).every((one) => isTrue(evaluate(one, document)));
    case "$or":
      return (argument as JSONValue[]).some((one) => isTrue(evaluate(one, document)));
    case "$not":
      return !isTrue(evaluate(argument, document));
    case "$neg":
      return negative(evaluate(argument, document));
    case "$field":
      return fieldOf(document, argument as string);
    case "$literal":
      return jsonToField(argument);
    default:
      throw new Error(`The local Convex does not know the filter expression "${name}".`);
  }
};

export const matches = (filters: readonly JSONValue[], document: Document): boolean =>
  filters.every((filter) => isTrue(evaluate(filter, document)));
