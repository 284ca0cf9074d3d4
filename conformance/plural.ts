/** `1 step`, `2 steps`; `1 copy`, `2 copies` where the plural is another word. */
export const plural = (number: number, noun: string, more = `${noun}s`): string =>
  `${number} ${number === 1 ? noun : more}`;
