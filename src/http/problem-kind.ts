/** One kind of problem: what it is, and what would make the request pass as far as anybody may be told. */
export type ProblemKind = { readonly status: number; readonly title: string; readonly detail: string }

/** Keeps the codes' names in the type. */
export function problemKinds<Code extends string>(
  kinds: Readonly<Record<Code, ProblemKind>>,
): Readonly<Record<Code, ProblemKind>> {
  return kinds
}
