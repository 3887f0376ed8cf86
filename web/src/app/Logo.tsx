/** The mark: a frame around a tick. */
export function Logo({ size = 20 }: { size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path
        d="M3 8V5a2 2 0 0 1 2-2h3M16 3h3a2 2 0 0 1 2 2v3M21 16v3a2 2 0 0 1-2 2h-3M8 21H5a2 2 0 0 1-2-2v-3"
        stroke="var(--cs-faint)"
        strokeWidth="2"
      />
      <path d="m7.5 12.4 3 3 6-6.6" stroke="var(--cs-accent)" strokeWidth="2.6" />
    </svg>
  );
}
