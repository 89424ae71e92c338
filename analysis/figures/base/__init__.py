"""What all figures are drawn with: colors, axes, panels, scales."""
