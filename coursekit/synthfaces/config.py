"""What may vary, and how much: the distribution that faces are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Style:
    """The parameters of the distribution. Shares are probabilities in [0, 1].

    The defaults follow the layout of CelebAMask-HQ (positions, sizes and shares of its masks);
    where one departs from it, the reason stands beside it. Angles are in degrees.
    """

    # geometry
    yaw_sd: float = 12.0
    wide_yaw_share: float = 0.26  # a second, flat part of the distribution, up to wide_yaw
    wide_yaw: float = 44.0
    pitch_sd: float = 6.0
    roll_sd: float = 6.0  # the crop is aligned to eyes and mouth; this is what remains
    frame_jitter: float = 0.006  # of the frame's side
    scale_jitter: float = 0.03
    shape_spread: float = 1.0  # 0 draws every head with the mean proportions
    open_mouth_share: float = 0.59
    curved: bool = False  # outlines of parts bend between their landmarks; else they are polygons
    # hair and what is worn
    fringe_share: float = 0.28
    hair_variety: float = 1.0  # 0 draws one plain shoulder-long cut
    glasses_share: float = 0.055  # real 0.046: few pixels to learn a class of many looks from
    sunglasses_share: float = 0.35  # of the glasses
    hat_share: float = 0.065  # real 0.04, for the same reason
    earring_share: float = 0.34
    necklace_share: float = 0.105
    beard_share: float = 0.30  # of the faces with short hair
    hair_coloured_cloth_share: float = 0.2
    # light, texture, camera
    shading: float = 1.0  # 0: flat colours
    skin_texture: float = 1.0
    hair_texture: float = 1.0
    colour_spread: float = 1.0  # 0: one skin, one hair, one light, one exposure
    background_clutter: float = 1.0  # 0: plain grey
    camera: float = 1.0  # blur, noise, JPEG; 0: a perfect picture

    def shifted(self, amount: float) -> Style:
        """A harder distribution; `amount` in [0, 1] goes from this one to the hardest."""
        if amount == 0:
            return self
        return replace(
            self,
            yaw_sd=self.yaw_sd + 10 * amount,
            wide_yaw_share=self.wide_yaw_share + 0.25 * amount,
            wide_yaw=self.wide_yaw + 14 * amount,
            pitch_sd=self.pitch_sd + 6 * amount,
            roll_sd=self.roll_sd + 12 * amount,
            frame_jitter=self.frame_jitter + 0.03 * amount,
            scale_jitter=self.scale_jitter + 0.12 * amount,
            glasses_share=self.glasses_share + 0.15 * amount,
            hat_share=self.hat_share + 0.12 * amount,
            colour_spread=self.colour_spread * (1 + 0.7 * amount),
            camera=self.camera * (1 + 1.5 * amount),
        )
