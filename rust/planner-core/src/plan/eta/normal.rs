//! How far the slowest of many lies above the median.

/// The standard normal deviate below which lies the slowest of `count` draws with a probability of
/// `chance`: one draw at the quantile `chance^(1/count)`.
///
/// Worked out from what lies above, so that it is as exact for a million draws as for one.
pub(super) fn slowest(chance: f64, count: u32) -> f64 {
    let above = -(chance.max(f64::MIN_POSITIVE).ln() / f64::from(count)).exp_m1();
    // Of the least that a float can say of what lies below one.
    -deviate(above.clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0))
}

/// The deviate below which lies a standard normal with this probability, of 0 to 1 without them.
/// Wichura, Algorithm AS 241, Applied Statistics 37, 1988 (PPND16: 16 digits).
fn deviate(below: f64) -> f64 {
    let from_half = below - 0.5;
    if from_half.abs() <= 0.425 {
        let r = 0.180_625 - from_half * from_half;
        return from_half * ratio(&CENTRE, r);
    }
    let r = (-below.min(1.0 - below).ln()).sqrt();
    let size = if r <= 5.0 {
        ratio(&TAIL, r - 1.6)
    } else {
        ratio(&FAR_TAIL, r - 5.0)
    };
    size.copysign(from_half)
}

/// One polynomial over another, from the highest power to the lowest.
fn ratio([above, below]: &[[f64; 8]; 2], at: f64) -> f64 {
    let value = |powers: &[f64; 8]| powers.iter().fold(0.0, |sum, each| sum * at + each);
    value(above) / value(below)
}

const CENTRE: [[f64; 8]; 2] = [
    [
        2_509.080_928_730_122_7,
        33_430.575_583_588_13,
        67_265.770_927_008_7,
        45_921.953_931_549_87,
        13_731.693_765_509_46,
        1_971.590_950_306_551_3,
        133.141_667_891_784_38,
        3.387_132_872_796_366_5,
    ],
    [
        5_226.495_278_852_854,
        28_729.085_735_721_943,
        39_307.895_800_092_71,
        21_213.794_301_586_597,
        5_394.196_021_424_751,
        687.187_007_492_057_9,
        42.313_330_701_600_91,
        1.0,
    ],
];

const TAIL: [[f64; 8]; 2] = [
    [
        0.000_774_545_014_278_341_4,
        0.022_723_844_989_269_184,
        0.241_780_725_177_450_6,
        1.270_458_252_452_368_4,
        3.647_848_324_763_204_5,
        5.769_497_221_460_691,
        4.630_337_846_156_546,
        1.423_437_110_749_683_5,
    ],
    [
        1.050_750_071_644_416_9e-9,
        0.000_547_593_808_499_534_5,
        0.015_198_666_563_616_457,
        0.148_103_976_427_480_08,
        0.689_767_334_985_1,
        1.676_384_830_183_803_8,
        2.053_191_626_637_759,
        1.0,
    ],
];

const FAR_TAIL: [[f64; 8]; 2] = [
    [
        2.010_334_399_292_288_1e-7,
        2.711_555_568_743_487_6e-5,
        0.001_242_660_947_388_078_4,
        0.026_532_189_526_576_124,
        0.296_560_571_828_504_87,
        1.784_826_539_917_291_3,
        5.463_784_911_164_114,
        6.657_904_643_501_103,
    ],
    [
        2.044_263_103_389_939_7e-15,
        1.421_511_758_316_446e-7,
        1.846_318_317_510_054_8e-5,
        0.000_786_869_131_145_613_3,
        0.014_875_361_290_850_615,
        0.136_929_880_922_735_8,
        0.599_832_206_555_888,
        1.0,
    ],
];

#[cfg(test)]
mod tests {
    use super::slowest;

    #[test]
    fn quantiles_of_one_draw_are_those_of_the_tables() {
        for (chance, deviates) in [(0.5, 0.0), (0.975, 1.959_964), (0.01, -2.326_348)] {
            assert!((slowest(chance, 1) - deviates).abs() < 1e-6, "{chance}");
        }
        assert!((slowest(1.0 - 1e-12, 1) - 7.034_484).abs() < 1e-4);
    }

    #[test]
    fn the_slowest_of_many_lies_where_all_of_them_lie_below() {
        // The deviates of 0.5^(1/10) and 0.5^(1/1,000,000).
        assert!((slowest(0.5, 10) - 1.498_767).abs() < 1e-6);
        assert!((slowest(0.5, 1_000_000) - 4.826_965).abs() < 1e-6);
        assert!(slowest(0.0, 1).is_finite() && slowest(1.0, u32::MAX).is_finite());
    }
}
