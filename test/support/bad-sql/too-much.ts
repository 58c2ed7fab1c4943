/** Statements that are there to cost time or memory. */
import { type BadStatement, from, honestSql, many, nested, sum, where } from "./statement.ts";

/** `in` and `out` of each level, within what a manifest holds. */
const levels = (count: number, open: string, innermost: string, close: string) =>
  where(`${open.repeat(count)}${innermost}${close.repeat(count)}`);

export const nestedDeeply: readonly BadStatement[] = [
  [levels(3_000, "(", "value > 1", ")"), "it is nested deeper than 64 levels"],
  [levels(65, "(", "value > 1", ")"), "it is nested deeper than 64 levels"],
  [where("(".repeat(8_000)), "it is nested deeper than 64 levels"],
  [where(`value > 1${")".repeat(8_000)}`), "it has more than 2000 parts"],
  [where(`${"(".repeat(8_000)}'`), "it is nested deeper than 64 levels"],
  [where(`${"(".repeat(8_000)}\ufffd`), "it is nested deeper than 64 levels"],
  [where(`${"([".repeat(3_500)}`), "it is nested deeper than 64 levels"],
  [where(`${"{".repeat(8_000)}`), "it is nested deeper than 64 levels"],
  [`${"(".repeat(3_000)}${honestSql}${")".repeat(3_000)}`, "it is nested deeper than 64 levels"],
  [
    `SELECT ${"(".repeat(3_000)}COUNT(*)${")".repeat(3_000)} AS people FROM people`,
    "it is nested deeper than 64 levels",
  ],
  [from(`${"(".repeat(3_000)}people${")".repeat(3_000)}`), "it is nested deeper than 64 levels"],
  [
    from(nested(300, (inner) => `(SELECT * FROM ${inner}) a`, "people")),
    "it is nested deeper than 64 levels",
  ],
  [
    from(nested(40, (inner) => `(${inner} JOIN people USING (person))`, "people")),
    "two tables are called people",
  ],
  [
    `${"WITH a AS (".repeat(400)}${honestSql}${") SELECT 1".repeat(300)}`,
    "it is nested deeper than 64 levels",
  ],
  [levels(500, "(SELECT ", "1", ")"), "it is nested deeper than 64 levels"],
  [levels(500, "EXISTS (SELECT ", "1", ")"), "it is nested deeper than 64 levels"],
  [levels(900, "abs(", "delta", ")"), "it is nested deeper than 64 levels"],
  [levels(60, "abs(", "delta", ")"), "it comes to more than 1000 parts, as some of it is needed"],
  [levels(900, "f(", "1", ")"), "it is nested deeper than 64 levels"],
  [levels(300, "CASE WHEN ", "member", " THEN member END"), "it is nested deeper than 64 levels"],
  [levels(300, "CASE WHEN member THEN ", "member", " END"), "it is nested deeper than 64 levels"],
  [levels(300, "COALESCE(", "value", ", 1)"), "it is nested deeper than 64 levels"],
  [levels(300, "NULLIF(", "value", ", 1)"), "it is nested deeper than 64 levels"],
  [levels(300, "GREATEST(", "value", ", cell)"), "it is nested deeper than 64 levels"],
  [levels(300, "CAST(", "value", " AS integer)"), "it is nested deeper than 64 levels"],
  [levels(600, "ROW(", "value", ")"), "it is nested deeper than 64 levels"],
  [levels(600, "ARRAY[", "value", "]"), "it is nested deeper than 64 levels"],
  [levels(300, "value IN (", "1", ")"), "it is nested deeper than 64 levels"],
  [levels(300, "date_trunc('month', ", "joined", ")"), "it is nested deeper than 64 levels"],
  [where(`${"NOT ".repeat(1_500)}value > 1`), "it is nested deeper than 64 levels"],
  [where(`${"NOT (".repeat(1_000)}value > 1${")".repeat(1_000)}`), "it is nested deeper than 64 levels"],
  [where(`value > ${"- ".repeat(1_500)}cell`), "it is nested deeper than 64 levels"],
  [where(`value > ${"- ".repeat(3_900)}cell`), "it has more than 2000 parts"],
  [where(`value > ${"+ ".repeat(1_500)}cell`), "it is nested deeper than 64 levels"],
  [where(`value > ${"-(".repeat(1_500)}cell${")".repeat(1_500)}`), "it is nested deeper than 64 levels"],
  [where(`value${" IS NULL".repeat(900)}`), "it is nested deeper than 64 levels"],
  [where(`value${"::integer".repeat(800)} > 1`), "it has more than 2000 parts"],
  [where(`value${'COLLATE "C"'.repeat(600)} > 1`), "not PostgreSQL"],
  [where(`joined${" AT TIME ZONE 'x'".repeat(400)} > joined`), "it is nested deeper than 64 levels"],
  [where(`value${"[1]".repeat(2_500)} > 1`), "it has more than 2000 parts"],
  [where(`value${".a".repeat(3_900)} > 1`), "it has more than 2000 parts"],
  [where(`(value)${".a".repeat(3_900)} > 1`), "it has more than 2000 parts"],
  [where(`value > ${"cell + ".repeat(500)}cell`), "it is nested deeper than 64 levels"],
  [where(`value > ${"cell * ".repeat(900)}cell`), "it is nested deeper than 64 levels"],
  [where(`value > ${"1 - ".repeat(1_900)}cell`), "it has more than 2000 parts"],
  [where(`${"value = ".repeat(900)}value`), "not PostgreSQL"],
  [`${honestSql}${" UNION SELECT 1".repeat(500)}`, "it is nested deeper than 64 levels"],
  [from(`people${" JOIN people USING (person)".repeat(280)}`), "it is nested deeper than 64 levels"],
  [
    from(`${"people JOIN ".repeat(300)}people${" ON TRUE".repeat(300)}`),
    "it is nested deeper than 64 levels",
  ],
];

export const manyParts: readonly BadStatement[] = [
  [where(`value IN (${"1,".repeat(2_500)}1)`), "it has more than 2000 parts"],
  [where(`value IN (${many(1_500, String)})`), "it has more than 2000 parts"],
  [where(`value NOT IN (${"1,".repeat(3_900)}1)`), "it has more than 2000 parts"],
  [where(`${"value > 1 AND ".repeat(580)}value > 1`), "it has more than 2000 parts"],
  [where(`${"member OR ".repeat(750)}member`), "it comes to more than 1000 parts, as some of it is needed"],
  [where(many(400, (at) => `fresh = ${at * 2}`, " OR ")), "it has more than 2000 parts"],
  [where(`${many(250, (at) => `fresh <> ${at * 2}`, " AND ")} AND x`), "people has no column x"],
  [sum(`CASE ${many(250, (at) => `WHEN value = ${at} THEN ${at}`, " ")} END`), "it has more than 2000 parts"],
  [
    sum(`CASE value ${many(320, (at) => `WHEN ${at} THEN ${at}`, " ")} END`),
    "it comes to more than 1000 parts, as some of it is needed",
  ],
  [sum(`CASE ${"WHEN member THEN 1 ".repeat(400)}END`), "it has more than 2000 parts"],
  [sum(`GREATEST(${many(500, (at) => `value + ${at}`)})`), "it has more than 2000 parts"],
  [sum(`COALESCE(${many(900, () => "value")})`), "it comes to more than 1000 parts, as some of it is needed"],
  [sum(`f(${many(2_000, () => "1")})`), "it has more than 2000 parts"],
  [`SELECT ${many(1_000, () => "1")} FROM people`, "it has more than 2000 parts"],
  [`SELECT ${many(900, (at) => `${at} x`)} FROM people`, "it has more than 2000 parts"],
  [`SELECT ${many(2_600, () => "*")} FROM people`, "it has more than 2000 parts"],
  [`SELECT ${many(250, (at) => `COUNT(*) AS n${at}`)}, x FROM people`, "people has no column x"],
  [`SELECT ${many(300, (at) => `SUM(value + ${at}) AS s${at}`)} FROM people`, "it has more than 2000 parts"],
  [`SELECT ${many(260, (at) => `SUM(${at}) AS s${at}`)} FROM people`, "SELECT names more than 256 columns"],
  [
    `SELECT ${many(130, (at) => `VARIANCE(value * ${at + 1}) AS v${at}`)} FROM people`,
    "the answer would release more than 256 numbers for each",
  ],
  [`SELECT COUNT(*) AS n FROM people GROUP BY ${many(900, () => "cell")}, x`, "people has no column x"],
  [
    `SELECT COUNT(*) AS n FROM people GROUP BY ${many(900, (at) => String(at))}`,
    "GROUP BY names a place that SELECT does not have",
  ],
  [
    `SELECT COUNT(*) AS n FROM people GROUP BY ${many(200, (at) => `value / ${at + 1}`)}`,
    "the keys span more than 10000 groups",
  ],
  [`SELECT COUNT(*) AS n FROM people ORDER BY ${many(900, () => "n")}, x`, "it has more than 2000 parts"],
  [from(many(900, () => "people")), "FROM names several tables by commas"],
  [from(many(400, (at) => `people p${at}`)), "FROM names several tables by commas"],
  [
    from(`people ${many(100, (at) => `JOIN people visits v${at} ON people.person = v${at}.person`, " ")}`),
    "not PostgreSQL",
  ],
  [
    from(`people ${many(60, (at) => `JOIN areas a${at} ON a${at}.town = people.town`, " ")}`),
    "it is nested deeper than 64 levels",
  ],
  [
    from(`people JOIN areas ON ${many(40, (at) => `areas.zone + ${at} = people.value`, " AND ")}`),
    "the public table areas is joined by nothing",
  ],
  [`${honestSql}${"; SELECT 1".repeat(700)}`, "it has more than 2000 parts"],
  [";".repeat(8_000), "it has more than 2000 parts"],
  [",".repeat(8_000), "it has more than 2000 parts"],
  ["'".repeat(8_001), "not PostgreSQL"],
  ['"'.repeat(8_001), "not PostgreSQL"],
  ["$".repeat(8_001), "texts and names are written without escapes"],
  ["$$".repeat(4_001), "not PostgreSQL"],
  ["$a$".repeat(2_701), "not PostgreSQL"],
  ["/*".repeat(4_000), "it is nested deeper than 64 levels"],
  ["--".repeat(4_000), "there is no statement"],
  ["\\".repeat(8_000), "it has more than 2000 parts"],
  ["x ".repeat(4_000), "it has more than 2000 parts"],
  ["x".repeat(8_000), "a name is longer than 63 bytes"],
  ["1".repeat(8_000), "not PostgreSQL"],
  ["1.".repeat(4_000), "it has more than 2000 parts"],
  ["@".repeat(8_000), "an operator is longer than 63 characters"],
  ["+-".repeat(4_000), "an operator is longer than 63 characters"],
  ["U&'".repeat(2_700), "it has more than 2000 parts"],
  ["E'\\".repeat(2_000), "it has more than 2000 parts"],
  ["\u{1f4a9}".repeat(2_000), "not PostgreSQL"],
  ["SELECT ".repeat(1_100), "not PostgreSQL"],
];

const abs = (inner: string) => `ABS(${inner})`;

export const growing: readonly BadStatement[] = [
  [
    sum(nested(28, (inner) => `ABS(${inner})`, "delta")),
    "it comes to more than 1000 parts, as some of it is needed",
  ],
  [sum(nested(60, (inner) => `ABS(${inner} - 1)`, "delta")), "it is nested deeper than 64 levels"],
  [
    sum(nested(28, (inner) => `NULLIF(${inner}, 3)`, "value")),
    "it comes to more than 1000 parts, as some of it is needed",
  ],
  [
    sum(nested(15, (inner) => `LEAST(${inner}, delta)`, "value")),
    "it comes to more than 1000 parts, as some of it is needed",
  ],
  [
    sum(nested(8, (inner) => `LEAST(${inner} * delta, ${inner} + cell)`, "value")),
    "it has more than 2000 parts",
  ],
  [
    sum(`GREATEST(${many(40, (at) => `value * ${(at * 7) % 41} + ${(at * 13) % 37}`)})`),
    "it comes to more than 1000 parts, as some of it is needed",
  ],
  [
    sum(nested(20, (inner) => `COALESCE(NULLIF(${inner}, 3), 4)`, "value")),
    "a CASE that may be null takes no part here",
  ],
  [
    `${sum(`${nested(20, (inner) => `date_trunc('month', ${inner})`, "joined")} - joined`)}`,
    "it comes to more than 1000 parts, as some of it is needed",
  ],
  [
    `${sum(`${nested(20, (inner) => `date_trunc('week', ${inner} + 1)`, "joined")} - joined`)}`,
    "date_trunc gives a time of day, too",
  ],
  [
    sum(nested(20, (inner) => `CASE ${inner} WHEN 1 THEN 5 WHEN 2 THEN 4 WHEN 3 THEN 7 ELSE 5 END`, "value")),
    "it comes to more than 1000 parts, as some of it is needed",
  ],
  [
    sum(nested(14, (inner) => `CASE WHEN ${inner} BETWEEN 1 AND 3 THEN 1 ELSE 2 END`, "value + delta")),
    "it comes to more than 1000 parts, as some of it is needed",
  ],
  [
    sum(nested(20, (inner) => `CASE WHEN ${inner} = 1 THEN ${"delta"} ELSE ABS(delta) END`, "delta")),
    "it is nested deeper than 64 levels",
  ],
  [sum(nested(25, (inner) => `(${inner} % 7)`, "value")), "what is divided could be negative"],
  [sum(nested(30, (inner) => `((${inner}) / 2 + 1)`, "value * value")), "it is nested deeper than 64 levels"],
  [sum(nested(8, (inner) => `(${inner} + 1) * (${inner} + 2)`, "cell")), "it has more than 2000 parts"],
  [
    where(
      `${nested(20, (inner) => `CASE WHEN ${inner} IN (1, 2, 3, 4, 5, 6, 7) THEN 1 ELSE 2 END`, "value")} = 1`,
    ),
    "it is nested deeper than 64 levels",
  ],
  [
    where(`ABS(delta - 1) * ABS(delta) IN (${many(400, String)})`),
    "it comes to more than 1000 parts, as some of it is needed",
  ],
  [
    where(`LEAST(value, cell, delta) IN (${many(100, String)})`),
    "it comes to more than 1000 parts, as some of it is needed",
  ],
  [
    where(many(60, (at) => `${nested(4, abs, "delta")} BETWEEN ${at} AND ${at + 5}`, " OR ")),
    "all of it comes to more than 20000 parts",
  ],
  [
    `SELECT ${many(55, (at) => `SUM(${nested(5, abs, "delta")} + ${at}) AS s${at}`)}, SUM(x) FROM people`,
    "all of it comes to more than 20000 parts",
  ],
  [
    where(`${many(90, (at) => `value * ${at + 2} = cell * ${at + 3} + delta`, " OR ")} OR x`),
    "people has no column x",
  ],
  [where(`town LIKE '${"%n".repeat(3_000)}' AND x`), "people has no column x"],
  [where(`town LIKE '${"%".repeat(7_000)}' AND x`), "people has no column x"],
  [where(`town LIKE '${"_".repeat(7_000)}' AND x`), "people has no column x"],
  [where(`${many(200, (at) => `town LIKE '%${at}%a_'`, " OR ")} AND x`), "people has no column x"],
  [where(`${many(90, (at) => `(value > ${at} AND cell < ${at})`, " OR ")} OR x`), "people has no column x"],
  [where(`${many(60, (at) => `(value > ${at} OR cell < ${at})`, " AND ")} AND x`), "people has no column x"],
  [
    where(`${nested(30, (inner) => `(${inner} AND value > 1 OR cell < 1)`, "member")} AND x`),
    "it is nested deeper than 64 levels",
  ],
];

export const tooLong: readonly BadStatement[] = [
  [`${honestSql} -- ${"x".repeat(1_000_000)}`, "the text is longer than 65536 bytes", "manifest_invalid"],
  [
    where(`${"(".repeat(10_000)}value > 1${")".repeat(10_000)}`),
    "the SQL is longer than 8192 bytes",
    "manifest_invalid",
  ],
  [where(`town = '${"x".repeat(1_000_000)}'`), "the text is longer than 65536 bytes", "manifest_invalid"],
  [where(`value > ${"9".repeat(10_000)}`), "the SQL is longer than 8192 bytes", "manifest_invalid"],
  [where(`value IN (${"1,".repeat(500_000)}1)`), "the text is longer than 65536 bytes", "manifest_invalid"],
  [where(`${"NOT ".repeat(10_000)}member`), "the SQL is longer than 8192 bytes", "manifest_invalid"],
  [`${honestSql}${" ".repeat(1_000_000)}`, "the text is longer than 65536 bytes", "manifest_invalid"],
  [`${honestSql} -- ${"\u{1f4a9}".repeat(3_000)}`, "the SQL is longer than 8192 bytes", "manifest_invalid"],
  [`SELECT ${many(10_000, () => "1")} FROM people`, "the SQL is longer than 8192 bytes", "manifest_invalid"],
  ["(".repeat(60_000), "the SQL is longer than 8192 bytes", "manifest_invalid"],
  ["\u0000".repeat(10_000), "the SQL is longer than 8192 bytes", "manifest_invalid"],
  ["", "Too small", "manifest_invalid"],
];
