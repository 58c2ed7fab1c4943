/** What fuzzed SQL is made of: words that PostgreSQL, DuckDB or a careless reader take in different ways, and honest questions full of them. */

export const numbers = [
  ..."0 1 2 3 5 -1 2.0 0.5 1. .5 00 007 1.50 0x1 0X1F 0b1 0o7 1_0 1_0.5 1e1 1E-1 1e400 2147483647 2147483648".split(
    " ",
  ),
  ..."-2147483648 4611686018427387904 9223372036854775807 9223372036854775808 0.000000000001 1.0000000000001".split(
    " ",
  ),
  ..."1000000 3000000000 140737488355328 $1 1.2.3 1a 2::integer 2.5::integer '3' '3'::integer -0 +1".split(
    " ",
  ),
];

export const texts = [
  ..."'north' 'south' 'NORTH' 'north ' '' 'n%' '_o%' '%' '\\%' 'a\\b' 'o''x' '50%' '10' '9' E'north' N'north' B'1' X'1F'".split(
    " ",
  ),
  ..."$$north$$ $a$north$a$ 'é' 'e\u0301' 'E11' 'none' 'high' 'month' 'week' 'year'".split(" "),
  ...[
    "E'n\\x6frth'",
    "E'o\\'x'",
    "U&'n\\006frth'",
    "'nor'\n'th'",
    "'a\u00a0b'",
    "DATE '2020-01-01'",
    "'2020-01-01'",
  ],
  ...[
    "'2020-01-01'::date",
    "DATE '2020-1-1'",
    "DATE '2019-02-29'",
    "DATE 'today'",
    "'infinity'::date",
    "DATE '0001-01-01'",
  ],
  ...[
    "DATE '9999-12-31'",
    "'01/02/2020'::date",
    "DATE '2020-01-01 BC'",
    "TIMESTAMP '2020-01-01'",
    "INTERVAL '1 day'",
  ],
];

export const names = [
  ..."age cost delta day icd acute ward region note serial sex born weight member person zone income years rate".split(
    " ",
  ),
  ..."kind closed step band count sum k0 a0 n c0 v p visits patients districts rates holidays prices ages".split(
    " ",
  ),
  ...'"age" "AGE" Age "N" V semi anti asof positional columns map struct unpack constructor tostring'.split(
    " ",
  ),
  ..."v.age v.day p.age visits.age param.low param.region param.unit ctid oid rowid current_date current_user".split(
    " ",
  ),
  ...[
    "v\u00a0",
    "\u00e9",
    "a".repeat(63),
    "a".repeat(64),
    '"toString"',
    '"a b"',
    'U&"a\\0067e"',
    "__proto__",
    "all",
    "asc",
  ],
];

export const operators = [
  ..."+ - * / % = <> != < <= > >= ^ // ** || && << | & # ~ ! @ ~~ ~* !~~ -> ->> :: . , ( ) [ ] ; : := => == +- -+ <-".split(
    " ",
  ),
  ..."AND OR NOT IS IN LIKE ILIKE BETWEEN SYMMETRIC ISNULL NOTNULL COLLATE ESCAPE GLOB SIMILAR".split(" "),
  ...[
    "NOT IN",
    "NOT LIKE",
    "NOT BETWEEN",
    "IS NULL",
    "IS NOT NULL",
    "IS TRUE",
    "IS NOT TRUE",
    "IS FALSE",
    "IS UNKNOWN",
  ],
  ...[
    "IS NOT UNKNOWN",
    "IS DISTINCT FROM",
    "OPERATOR(pg_catalog.+)",
    "AT TIME ZONE",
    "= ANY",
    "::integer",
    "::date",
    "::int8",
  ],
  ...["::pg_catalog.int4", "::numeric", "::text", "::boolean", 'COLLATE "C"'],
];

export const functions = [
  ..."COUNT SUM AVG MIN MAX MEDIAN VARIANCE VAR_POP VAR_SAMP STDDEV STDDEV_POP STDDEV_SAMP ABS LEAST GREATEST".split(
    " ",
  ),
  ...'COALESCE NULLIF date_part date_trunc extract "extract" "abs" mod div round floor lower length histogram'.split(
    " ",
  ),
  ...'constructor "toString" "hasOwnProperty" pg_catalog.abs pg_sleep now random nextval read_csv any_value list'.split(
    " ",
  ),
];

export const clauses = [
  ..."SELECT FROM WHERE JOIN INNER ON USING GROUP BY HAVING ORDER LIMIT OFFSET FETCH AS DISTINCT ALL CASE WHEN THEN ELSE END".split(
    " ",
  ),
  ..."NULL TRUE FALSE UNION EXCEPT WITH WINDOW OVER FILTER DESC ASC NULLS FIRST LAST CROSS LEFT NATURAL LATERAL ONLY VALUES".split(
    " ",
  ),
  ..."QUALIFY SAMPLE PIVOT SEMI ANTI ASOF POSITIONAL EXCLUDE REPLACE VARIADIC WITHIN ROLLUP CUBE TABLE TABLESAMPLE INTO".split(
    " ",
  ),
  ...[
    "JOIN patients USING (person)",
    "JOIN ages USING (age)",
    "FETCH FIRST ROW ONLY",
    "LIMIT ALL",
    "GROUP BY ALL",
    "(*)",
    "*",
  ],
];

/** Between two tokens, where it should say nothing. */
export const blanks = [
  " ",
  "\n",
  "\t",
  "\r",
  "\r\n",
  "/**/",
  "/* it's */",
  "/* /* */ */",
  "-- it's\n",
  "--\r",
  '-- " \n',
  "/* $$ */",
  "/*",
  "--",
  "",
  "\u00a0",
  "\u2003",
  "\u3000",
  "\ufeff",
  "\u200b",
  "\u202e",
  "\0",
  "\v",
  "\f",
  "\u0085",
  "\ud800",
  ";",
];

export const questions = [
  "SELECT region, COUNT(*) AS n FROM visits WHERE age > 0x1 AND cost < 1_0 GROUP BY region",
  "SELECT age + 0x1 AS k, COUNT(*) AS n FROM visits GROUP BY 1",
  "SELECT region, COUNT(*) AS n FROM visits WHERE region = E'n\\x6frth' OR region LIKE '_o%' GROUP BY region",
  "SELECT COUNT(*) AS n, COUNT(DISTINCT person) AS people FROM visits semi JOIN patients USING (person)",
  "SELECT COUNT(*) AS n FROM visits anti JOIN patients USING (person) WHERE delta > 0",
  "SELECT COUNT(*) AS n FROM visits positional JOIN patients p ON positional.person = p.person",
  "SELECT COUNT(*) AS n FROM visits v JOIN patients p ON v.person = p.person AND v.age <= p.age",
  "SELECT SUM(NULLIF(age, 2.0) / 2) AS s, AVG(NULLIF(age, 3) / 2) AS m FROM visits",
  "SELECT SUM(t.s::integer / 2) AS s, SUM(t.s % 2) AS r FROM (SELECT person, SUM(age) AS s FROM visits GROUP BY person) AS t",
  'SELECT SUM(t."N") AS s, SUM(t.n) AS r FROM (SELECT person, COUNT(*) AS "N", SUM(age) AS n FROM visits GROUP BY person) t',
  "SELECT SUM(t.n) AS s FROM (SELECT person, constructor(age) AS n FROM visits GROUP BY person) AS t",
  "SELECT SUM(age / 2) AS s, COUNT(*) AS n FROM visits JOIN ages USING (age)",
  "SELECT band, SUM(v.age / 2) AS s FROM visits v JOIN ages a ON a.age = v.age GROUP BY band",
  "SELECT COUNT(*) AS n FROM visits WHERE day + 1.0 > DATE '2020-01-01'",
  "SELECT COUNT(*) AS n FROM visits WHERE date_trunc('month', day) + 1 > day OR day - date_trunc('week', day) > 2",
  "SELECT date_trunc(param.unit, day) AS k, COUNT(*) AS n FROM visits GROUP BY k ORDER BY k DESC",
  "SELECT EXTRACT(year FROM day)::integer / 10 AS decade, COUNT(*) AS n FROM visits GROUP BY 1",
  "SELECT EXTRACT(dow FROM day) AS k, date_part('doy', born) % 7 AS j, COUNT(*) AS n FROM visits JOIN patients USING (person) GROUP BY 1, 2",
  "SELECT age / 2 * 2 AS k, COUNT(*) AS n, AVG(cost) AS m FROM visits GROUP BY age / 2 * 2 ORDER BY n DESC, k LIMIT 3",
  "SELECT age % 3 AS age, COUNT(*) AS n FROM visits GROUP BY age % 3 ORDER BY -1 * age",
  "SELECT -age AS cost, COUNT(*) AS n FROM visits GROUP BY -age, cost ORDER BY cost",
  "SELECT age AS delta, COUNT(*) AS n FROM visits GROUP BY delta, age ORDER BY delta DESC LIMIT 2",
  "SELECT note, COUNT(*) AS n FROM visits WHERE note LIKE '_' OR note LIKE 'a%' GROUP BY note",
  "SELECT note, COUNT(*) AS n FROM visits WHERE note NOT LIKE '%x' AND note <> 'a ' GROUP BY note ORDER BY n",
  "SELECT COUNT(*) AS n FROM visits WHERE note IN ('é', 'A', '9') AND NOT note = 'e\u0301'",
  "SELECT CASE WHEN note LIKE '%\\%' THEN 'x' ELSE 'y' END AS k, COUNT(*) AS n FROM visits GROUP BY 1",
  "SELECT COUNT(*) AS n FROM visits WHERE age BETWEEN 5 AND 1 OR cost NOT BETWEEN 1.5 AND 0.5 AND age <> 3",
  "SELECT COUNT(*) AS n FROM visits WHERE NOT age = 3 OR acute IS NOT TRUE AND - - delta >= -param.low",
  "SELECT COUNT(*) AS n FROM visits WHERE acute::integer + 1 = 2 OR NOT acute",
  "SELECT acute, SUM(-delta) AS s, MIN(delta) AS l, MAX(cost) AS h FROM visits GROUP BY acute HAVING COUNT(*) > 1 AND NOT SUM(-delta) = 2",
  "SELECT region, AVG(delta) AS m, VARIANCE(delta) AS v, STDDEV_POP(cost) AS d FROM visits GROUP BY region",
  "SELECT PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY age DESC) AS q, PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY cost) AS m FROM visits",
  "SELECT MIN(day) AS l, MAX(day + 2) AS h, COUNT(day - DATE '2020-01-01') AS n FROM visits",
  "SELECT SUM(serial) AS s, AVG(serial * 8) AS m, COUNT(serial) AS n FROM visits WHERE serial > 0.5",
  "SELECT COUNT(*) AS n FROM visits WHERE serial * 16384 > 4611686018427387903 OR serial = -140737488355328",
  "SELECT SUM(x.big) AS s, COUNT(*) AS n FROM (SELECT person, SUM(COALESCE(serial, 0)) AS big FROM visits GROUP BY person) AS x WHERE x.big * 8 > 0.5",
  "SELECT CASE age WHEN 2.0 THEN 1 WHEN 3 THEN 2.50 END AS k, COUNT(*) AS n FROM visits GROUP BY k",
  "SELECT COALESCE(delta, 0.5) AS k, COUNT(*) AS n FROM visits GROUP BY 1",
  "SELECT LEAST(delta, age, 2) AS k, GREATEST(day, '2020-01-01') AS j, COUNT(*) AS n FROM visits GROUP BY 1, 2",
  "SELECT COALESCE(region, 'none') AS k, COUNT(*) AS n FROM visits GROUP BY k HAVING COUNT(*) BETWEEN 1 AND 5",
  "SELECT zone, income, COUNT(*) AS n FROM visits JOIN districts USING (region) GROUP BY zone, income",
  "SELECT d.zone, SUM(p.weight) AS s FROM visits v JOIN patients p USING (person) JOIN districts d ON d.region = v.region WHERE p.member GROUP BY d.zone",
  "SELECT kind, closed, COUNT(*) AS n FROM visits JOIN holidays USING (day) GROUP BY kind, closed",
  "SELECT rate, COUNT(*) AS n FROM visits JOIN rates ON years = age + 1 GROUP BY rate",
  "SELECT band, AVG(step) AS m FROM visits JOIN prices ON step = cost GROUP BY band",
  "SELECT k.last, COUNT(*) AS n FROM (SELECT person, MAX(day) AS last, MIN(cost) AS least FROM visits GROUP BY person) k WHERE k.least < 1 GROUP BY k.last",
  "SELECT t.n / 2 AS k, COUNT(*) AS c FROM (SELECT person, COUNT(*) AS n FROM visits GROUP BY person) AS t GROUP BY 1",
  "SELECT icd, COUNT(*) AS n FROM visits WHERE icd <> 'E11' GROUP BY icd",
  "SELECT ward, COUNT(*) AS n FROM visits WHERE ward = -2 OR ward > 1 GROUP BY ward",
  "SELECT HISTOGRAM(age, 0, 6, 3) AS h FROM visits",
  "SELECT MEDIAN(age) AS m FROM visits;",
  "SELECT ALL COUNT(ALL age) AS n FROM visits * FETCH FIRST 3 ROWS ONLY",
];
