/** One accent, neutral greys, an 8 px grid, 13 px text. Screens use the `--cs-…` variables, never colours of their own. */
import {
  type CSSVariablesResolver,
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  type VariantColorsResolver,
} from "@mantine/core";

const CLOSE = { "aria-label": "Close" };

const seal: MantineColorsTuple = [
  "#e3faf3",
  "#c3f1e3",
  "#98e4cd",
  "#66d5b3",
  "#3fc79e",
  "#2bb78d",
  "#1f9f7a",
  "#118065",
  "#0c6b55",
  "#075443",
];

const dark: MantineColorsTuple = [
  "#d8dde5",
  "#b7bfcb",
  "#8f99a9",
  "#677285",
  "#363e4b",
  "#2a313c",
  "#1f252e",
  "#171b22",
  "#12151b",
  "#0c0e12",
];

/** Filled buttons: text that can be read on the accent and on red, in both schemes (4.5 to 1 and more). */
const variantColors: VariantColorsResolver = (input) => {
  const found = defaultVariantColorsResolver(input);
  if (input.variant !== "filled") return found;
  const color = input.color ?? input.theme.primaryColor;
  if (color === "seal") return { ...found, color: "var(--cs-on-accent)" };
  if (color !== "red") return found;
  return { ...found, background: "var(--cs-red)", hover: "var(--cs-red-hover)", color: "#ffffff" };
};

export const theme = createTheme({
  colors: { seal, dark },
  primaryColor: "seal",
  primaryShade: { light: 7, dark: 5 },
  autoContrast: true,
  variantColorResolver: variantColors,
  luminanceThreshold: 0.32,
  fontFamily: 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace',
  fontSizes: { xs: "12px", sm: "13px", md: "13px", lg: "15px", xl: "18px" },
  lineHeights: { xs: "1.35", sm: "1.45", md: "1.45", lg: "1.4", xl: "1.35" },
  spacing: { xs: "4px", sm: "8px", md: "16px", lg: "24px", xl: "32px" },
  radius: { xs: "3px", sm: "4px", md: "6px", lg: "8px", xl: "12px" },
  defaultRadius: "md",
  fontWeights: { regular: "400", medium: "500", bold: "650" },
  headings: {
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "20px", lineHeight: "1.3" },
      h2: { fontSize: "16px", lineHeight: "1.35" },
      h3: { fontSize: "13px", lineHeight: "1.45" },
    },
  },
  focusRing: "auto",
  cursorType: "pointer",
  components: {
    Button: { defaultProps: { size: "xs", fw: 500 } },
    ActionIcon: {
      defaultProps: { variant: "subtle", color: "gray", size: 28 },
      classNames: { root: "cs-icon" },
    },
    TextInput: { defaultProps: { size: "xs" } },
    NumberInput: { defaultProps: { size: "xs" } },
    PasswordInput: { defaultProps: { size: "xs" } },
    Textarea: { defaultProps: { size: "xs" } },
    Select: { defaultProps: { size: "xs" } },
    MultiSelect: { defaultProps: { size: "xs" } },
    TagsInput: { defaultProps: { size: "xs" } },
    Autocomplete: { defaultProps: { size: "xs" } },
    Checkbox: { defaultProps: { size: "xs" } },
    Radio: { defaultProps: { size: "xs" } },
    Switch: { defaultProps: { size: "xs" } },
    SegmentedControl: { defaultProps: { size: "xs" }, classNames: { root: "cs-segments" } },
    Slider: { defaultProps: { size: "xs" } },
    RangeSlider: { defaultProps: { size: "xs" } },
    Badge: { defaultProps: { size: "sm", radius: "sm", variant: "light" } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: false, fz: 12, px: 8, py: 4 } },
    Menu: { defaultProps: { shadow: "md", position: "bottom-start" } },
    Modal: {
      defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.5 }, closeButtonProps: CLOSE },
      classNames: { title: "cs-title", content: "cs-dialog" },
    },
    Notification: { defaultProps: { closeButtonProps: CLOSE } },
    Loader: { defaultProps: { size: "xs" } },
  },
});

export const variables: CSSVariablesResolver = () => ({
  variables: {
    "--cs-bar": "44px",
    "--cs-sidebar": "272px",
    "--cs-red": "#c92a2a",
    "--cs-red-hover": "#b02525",
  },
  dark: {
    "--mantine-color-body": "#12151b",
    "--mantine-color-dimmed": "#8f99a9",
    "--mantine-color-default": "#1f252e",
    "--mantine-color-default-hover": "#262d38",
    "--mantine-color-default-border": "#363e4b",
    "--mantine-color-placeholder": "#8f99a9",
    "--cs-page": "#12151b",
    "--cs-panel": "#171b22",
    "--cs-raised": "#1f252e",
    "--cs-hover": "#242b35",
    "--cs-border": "#272d37",
    "--cs-text": "#d8dde5",
    "--cs-dim": "#8f99a9",
    "--cs-faint": "#677285",
    "--cs-stage": "#0c0e12",
    "--cs-well": "#0c0e12",
    "--cs-accent": "#2bb78d",
    "--cs-on-accent": "#05130e",
    "--cs-accent-text": "#4fd0a9",
    "--cs-accent-soft": "rgba(43, 183, 141, 0.14)",
    "--cs-danger": "#f0716b",
    "--cs-warn": "#e0a53c",
    "--cs-bars": "#3d4a5a",
    "--cs-verified": "#2bb78d",
    "--cs-proposed": "#e0a53c",
    "--cs-promoted": "#5a9cf5",
    "--cs-rejected": "#8f99a9",
  },
  light: {
    "--mantine-color-body": "#ffffff",
    "--mantine-color-text": "#1c2129",
    "--mantine-color-dimmed": "#5c6675",
    "--mantine-color-default-border": "#cfd5dd",
    "--mantine-color-placeholder": "#646e7d",
    "--cs-page": "#f6f7f9",
    "--cs-panel": "#ffffff",
    "--cs-raised": "#ffffff",
    "--cs-hover": "#eef1f4",
    "--cs-border": "#e1e5ea",
    "--cs-text": "#1c2129",
    "--cs-dim": "#5c6675",
    "--cs-faint": "#8a94a3",
    "--cs-stage": "#e4e7ec",
    "--cs-well": "#eef1f4",
    "--cs-accent": "#118065",
    "--cs-on-accent": "#ffffff",
    "--cs-accent-text": "#0c6b55",
    "--cs-accent-soft": "rgba(17, 128, 101, 0.10)",
    "--cs-danger": "#c8362f",
    "--cs-warn": "#9a6700",
    "--cs-bars": "#c3ccd8",
    "--cs-verified": "#118065",
    "--cs-proposed": "#9a6700",
    "--cs-promoted": "#1d63c4",
    "--cs-rejected": "#6b7583",
  },
});
