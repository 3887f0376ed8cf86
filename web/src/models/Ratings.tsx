import styles from "./models.module.css";

const WORDS = {
  speed: ["not known", "slow", "middling", "fast"],
  performance: ["not known", "modest", "good", "best"],
};

interface Props {
  /** 1 to 3 among models that do the same; 0 if it is not known. */
  value: number;
  of: keyof typeof WORDS;
  /** With its name beside it. */
  named?: boolean;
}

/** Three bars: how fast or how good a model is among those that do the same. */
export function Rating({ value, of, named }: Props) {
  const said = `${of}: ${WORDS[of][value] ?? value}`;
  return (
    <span className={styles.rating} title={named ? undefined : said}>
      {named && <span className={styles.ratingName}>{of}</span>}
      <span className={styles.bars} role="img" aria-label={said}>
        {[1, 2, 3].map((bar) => (
          <i key={bar} data-on={bar <= value || undefined} />
        ))}
      </span>
      {named && <span className={styles.dim}>{WORDS[of][value] ?? value}</span>}
    </span>
  );
}
