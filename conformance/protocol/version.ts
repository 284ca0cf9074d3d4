/** The version of the line protocol in which implementations in any language are asked and answer. */
export const protocolVersion = 1;
