/** Expectations as text: `cap tag=1 base=P1+0x0`, `int 0x5`, `trap bounds cs1`, `none signals=10,12`. */
import { chain, map, mapLeft, right, type Either } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { bareObservations, type Expectation } from "../canon.js";
import { expectationCodec, notAnObservation } from "./expectation-codec.js";
import { decode, parseWhole, shown, type Members } from "./strict.js";
import { at, pairs, refuse, wordsOf, type Refusal, type Word } from "./words.js";

/** `P1` as the number that JSON has. */
const processNumber = (kind: Word, word: Word | undefined): Either<Refusal, number> => {
  const number = word !== undefined && /^P\d+$/.test(word.text) ? Number(word.text.slice(1)) : undefined;
  return number !== undefined && Number.isSafeInteger(number)
    ? right(number)
    : refuse(word?.column ?? kind.column, `${shown(word?.text)} is not a process; write P1`);
};

const capabilityValue = (key: string, word: string): unknown => {
  if (key === "tag") return word === "1" ? true : word === "0" ? false : word;
  if (key === "permissions") return word === "none" ? [] : word.split(",");
  return word;
};

/** A number where a word is one. */
const numberOr = (word: string): unknown => parseWhole(word) ?? word;

/** An observation as JSON has it, and where each member stands in the line. */
interface Written {
  readonly value: Members;
  readonly columns: ReadonlyMap<string, number>;
}

/** What stands behind a word, as one list: any number of words, or `none`. */
const written = (kind: Word, words: readonly Word[]): Written => {
  const none = words.length === 1 && words[0]?.text === "none";
  const elements = none ? [] : words.map(({ text }) => numberOr(text));
  const columns = new Map(words.map(({ column }, index) => [String(index), column]));
  columns.set(kind.text, words[0]?.column ?? kind.column);
  return { value: { [kind.text]: words.length === 0 ? undefined : elements }, columns };
};

/** From the words behind `expect`, but for signals. */
const observationOf = (kind: Word, words: readonly Word[]): Either<Refusal, Written> => {
  const positional = (
    names: readonly string[],
    value: (texts: readonly (string | undefined)[]) => Members,
  ): Either<Refusal, Written> => {
    const extra = words[names.length];
    if (extra !== undefined)
      return refuse(extra.column, `${shown(extra.text)} is one word too many behind ${kind.text}`);
    const columns = new Map(names.map((name, index) => [name, words[index]?.column ?? kind.column]));
    return right({ value: value(words.map(({ text }) => text)), columns });
  };
  const bare = Object.entries(bareObservations).find(([, word]) => word === kind.text);
  if (bare !== undefined) return positional([], () => ({ [bare[0]]: true }));
  switch (kind.text) {
    case "cap":
      return pipe(
        pairs(words, capabilityValue),
        map(({ members, columns }) => ({ value: { cap: members }, columns })),
      );
    case "int":
      return positional(["int"], ([int]) => ({ int }));
    case "bytes":
      return positional(["bytes"], ([bytes]) => ({ bytes: bytes === "none" ? "" : bytes }));
    case "fd":
      return positional(["fd"], ([fd]) => ({ fd: fd === undefined ? undefined : numberOr(fd) }));
    case "fds":
    case "set":
      return right(written(kind, words));
    case "child":
      return pipe(
        processNumber(kind, words[0]),
        chain((child) => positional(["child"], () => ({ child }))),
      );
    case "process":
      return pipe(
        processNumber(kind, words[0]),
        chain((process) =>
          pipe(
            pairs(words.slice(1), (_, word) => numberOr(word)),
            map(({ members: status, columns }) => ({
              value: words.length < 2 ? { process } : { process, status },
              columns: new Map([...columns, ["status", words[1]?.column ?? kind.column]]),
            })),
          ),
        ),
      );
    case "trap":
      return positional(["cause", "operand"], ([cause, operand]) => ({
        trap: { cause, ...(operand === undefined ? {} : { operand }) },
      }));
    case "error":
      return positional(["error"], ([error]) => ({ error }));
    default:
      return refuse(kind.column, notAnObservation(kind.text));
  }
};

const isAboutSignals = ({ text }: Word): boolean => text.startsWith("signals=");

const signalsValue = (_: string, word: string): unknown => (word === "none" ? [] : word.split(",").map(numberOr));

/** What stands behind the word `expect`. */
export const parseExpectation = (keyword: Word, words: readonly Word[]): Either<Refusal, Expectation> => {
  const [kind, ...rest] = words;
  if (kind === undefined) return refuse(keyword.column, notAnObservation("nothing"));
  return pipe(
    pairs(rest.filter(isAboutSignals), signalsValue),
    chain((signals) =>
      pipe(
        observationOf(
          kind,
          rest.filter((word) => !isAboutSignals(word)),
        ),
        chain(({ value, columns }) =>
          pipe(
            decode(expectationCodec, { ...value, ...signals.members }),
            mapLeft(at(new Map([...columns, ...signals.columns]), kind.column)),
          ),
        ),
      ),
    ),
  );
};

/** An observation as it stands behind `expect`. */
export const parseObservation = (text: string): Either<string, Expectation> =>
  pipe(
    parseExpectation({ text: "", column: 1 }, wordsOf({ text, column: 1 })),
    mapLeft(({ message }) => message),
  );
