import IR

/// A function P of |x| in f32, with a polynomial of its own in each of 32 intervals: no branch, no division, and fewer
/// operations than formulas that hold everywhere.
///
/// Where a target looks 32 numbers up in one instruction. Coefficients are minimax fits in |x| less the interval's center,
/// which is a number where P is nearly an f32.
struct PiecewiseFunction {
  /// Intervals in a unit.
  let scale: Double
  /// From here on |x| counts as this.
  let limit: Double
  let centers: [Double]
  /// For each power, the lowest first, those of the intervals.
  let coefficients: [[Double]]

  /// The odd function x P(|x|), which is 1 from the limit on.
  func odd(_ x: MathValue) -> MathValue {
    let a = x.magnitude.atMost(limit)
    return (value(a) * a).signed(like: x)
  }

  /// P at `a`, which is not negative and at most the limit.
  func value(_ a: MathValue) -> MathValue {
    let interval = fma(a, scale, a.constants.shifter).bits
    let r = a - interval.lookup(centers)
    var sum = interval.lookup(coefficients[coefficients.count - 1])
    for row in coefficients.dropLast().reversed() { sum = fma(sum, r, interval.lookup(row)) }
    return sum
  }

  static let errorFunction = PiecewiseFunction(
    scale: 8, limit: 3.925,
    centers: [
      0x1.0001f4p-5, 0x1.00057p-3, 0x1.00010cp-2, 0x1.7ffe1ap-2, 0x1.00086cp-1, 0x1.40017cp-1, 0x1.800878p-1,
      0x1.c00946p-1, 0x1.0003a8p0, 0x1.2005e8p0, 0x1.40061cp0, 0x1.60023cp0, 0x1.80020ep0, 0x1.a00536p0,
      0x1.bfffbcp0, 0x1.e0091ep0, 0x1.00082ap1, 0x1.10045cp1, 0x1.20033ep1, 0x1.2fff28p1, 0x1.400756p1, 0x1.50015ep1,
      0x1.6007aap1, 0x1.6ffffp1, 0x1.7fff54p1, 0x1.900178p1, 0x1.a00326p1, 0x1.b00044p1, 0x1.c00484p1, 0x1.d0043p1,
      0x1.e0002cp1, 0x1.f0051ap1,
    ],
    coefficients: [
      [
        0x1.20c564p0, 0x1.1f5e0ap0, 0x1.1af542p0, 0x1.13e0acp0, 0x1.0a7d98p0, 0x1.fe8e88p-1, 0x1.e57802p-1,
        0x1.cac7d2p-1, 0x1.af735ap-1, 0x1.944bc8p-1, 0x1.7a003p-1, 0x1.610eb6p-1, 0x1.49c21ep-1, 0x1.3445ap-1,
        0x1.20ac2cp-1, 0x1.0edc5p-1, 0x1.fd8b4ep-2, 0x1.e092fap-2, 0x1.c66cfep-2, 0x1.aed33p-2, 0x1.996598p-2,
        0x1.86024ap-2, 0x1.744b68p-2, 0x1.642838p-2, 0x1.5554p-2, 0x1.47ac0cp-2, 0x1.3b10f6p-2, 0x1.2f67f8p-2,
        0x1.248f48p-2, 0x1.1a7904p-2, 0x1.1110f6p-2, 0x1.083f58p-2,
      ],
      [
        -0x1.80f074p-6, -0x1.7d97e8p-4, -0x1.730856p-3, -0x1.09ab16p-2, -0x1.4c4034p-2, -0x1.7edfe2p-2,
        -0x1.a0d132p-2, -0x1.b29494p-2, -0x1.b5daa2p-2, -0x1.ad12a4p-2, -0x1.9b0ecp-2, -0x1.82ab4p-2, -0x1.667cfap-2,
        -0x1.48b2e8p-2, -0x1.2b07e8p-2, -0x1.0e9646p-2, -0x1.e8576cp-3, -0x1.b864p-3, -0x1.8d6b1ap-3, -0x1.67593ep-3,
        -0x1.45b4b4p-3, -0x1.283fe6p-3, -0x1.0e4cf6p-3, -0x1.ef1c18p-4, -0x1.c6eac8p-4, -0x1.a3545p-4,
        -0x1.83b9c2p-4, -0x1.67937cp-4, -0x1.4e559ep-4, -0x1.37ae38p-4, -0x1.2344fp-4, -0x1.10c29ep-4,
      ],
      [
        -0x1.807a1cp-2, -0x1.766b4cp-2, -0x1.5765fp-2, -0x1.276c6ep-2, -0x1.d6cc32p-3, -0x1.5272acp-3,
        -0x1.9a5b16p-4, -0x1.453168p-5, 0x1.99d2d2p-7, 0x1.bc2afcp-5, 0x1.5ab8aep-4, 0x1.ab1968p-4, 0x1.d4db22p-4,
        0x1.df8928p-4, 0x1.d354c2p-4, 0x1.b7e09ap-4, 0x1.93b68cp-4, 0x1.6bf09p-4, 0x1.4400d6p-4, 0x1.1e3336p-4,
        0x1.f74222p-5, 0x1.ba05p-5, 0x1.84559cp-5, 0x1.560bf2p-5, 0x1.2e23a6p-5, 0x1.0bd626p-5, 0x1.dcb57p-6,
        0x1.a9f454p-6, 0x1.7dfe4ep-6, 0x1.57e008p-6, 0x1.36ac3p-6, 0x1.198acep-6,
      ],
      [
        0x1.cd836ep-7, 0x1.c4ed6p-5, 0x1.ac3ddap-4, 0x1.246198p-3, 0x1.55552ep-3, 0x1.66a49ap-3, 0x1.5a69a4p-3,
        0x1.363136p-3, 0x1.01a5aep-3, 0x1.8a0e26p-4, 0x1.0fc48cp-4, 0x1.404d7ap-5, 0x1.0aaaacp-6, -0x1.557dbp-10,
        -0x1.bdee78p-7, -0x1.5c56c4p-6, -0x1.9bec72p-6, -0x1.adf2a8p-6, -0x1.a187bp-6, -0x1.8326bep-6,
        -0x1.5bd81cp-6, -0x1.32409p-6, -0x1.0a060ep-6, -0x1.caee2ep-7, -0x1.8a5c9ap-7, -0x1.52c4d6p-7,
        -0x1.2379d6p-7, -0x1.f729fap-8, -0x1.b3f576p-8, -0x1.7b337ap-8, -0x1.4b66b2p-8, -0x1.22a7f8p-8,
      ],
      [
        0x1.cd4d0cp-4, 0x1.b416bcp-4, 0x1.6c31cap-4, 0x1.016e34p-4, 0x1.08e0d6p-5, 0x1.dd5c96p-10, -0x1.972c86p-6,
        -0x1.6ea31cp-5, -0x1.cff4ap-5, -0x1.f06f6ep-5, -0x1.dacf6p-5, -0x1.9e76ecp-5, -0x1.4c3a1p-5, -0x1.e7508ap-6,
        -0x1.42687p-6, -0x1.6e8c28p-7, -0x1.30b818p-8, -0x1.73ccbap-15, 0x1.7525b4p-9, 0x1.2199fp-8, 0x1.4a21cep-8,
        0x1.4b29cep-8, 0x1.35506cp-8, 0x1.14a5f4p-8, 0x1.e0095cp-9, 0x1.9a8052p-9, 0x1.5b2306p-9, 0x1.248b22p-9,
        0x1.ebd63cp-10, 0x1.9fc44p-10, 0x1.5f91fcp-10, 0x1.2aebeep-10,
      ],
    ])

  static let hyperbolicTangent = PiecewiseFunction(
    scale: 3.4375, limit: 9.1,
    centers: [
      0, 0x1.29eb8ap-2, 0x1.29e5b4p-1, 0x1.bed6e4p-1, 0x1.29e2ccp0, 0x1.74602p0, 0x1.beda8ep0, 0x1.04a968p1,
      0x1.29e716p1, 0x1.4f2322p1, 0x1.745b7p1, 0x1.999d2cp1, 0x1.bed7bp1, 0x1.e41066p1, 0x1.04aa0cp2, 0x1.174c9ap2,
      0x1.29e7c8p2, 0x1.3c86e8p2, 0x1.4f2132p2, 0x1.61c08ep2, 0x1.745d8ep2, 0x1.86fafcp2, 0x1.999836p2, 0x1.ac3ce6p2,
      0x1.bed50ap2, 0x1.d1773ep2, 0x1.e41474p2, 0x1.f6affcp2, 0x1.04a99ep3, 0x1.0df76ap3, 0x1.174f32p3, 0x1.209e18p3,
    ],
    coefficients: [
      [
        0x1p0, 0x1.f206e2p-1, 0x1.cd1bp-1, 0x1.9c487cp-1, 0x1.69c7dcp-1, 0x1.3b9796p-1, 0x1.13f9dap-1, 0x1.e60114p-2,
        0x1.afaff8p-2, 0x1.82f61p-2, 0x1.5deb48p-2, 0x1.3eed8p-2, 0x1.24c8fap-2, 0x1.0e7e3ep-2, 0x1.f68c02p-3,
        0x1.d52306p-3, 0x1.b7e62p-3, 0x1.9e0d66p-3, 0x1.87161p-3, 0x1.7281fp-3, 0x1.5ffdf8p-3, 0x1.4f3c6ap-3,
        0x1.4000a2p-3, 0x1.32126ap-3, 0x1.2555e8p-3, 0x1.1997cap-3, 0x1.0ec3dcp-3, 0x1.04be12p-3, 0x1.f6d772p-4,
        0x1.e5831ap-4, 0x1.d54592p-4, 0x1.c62326p-4,
      ],
      [
        -0x1.5fe8dcp-24, -0x1.73a662p-3, -0x1.344994p-2, -0x1.5ef4c2p-2, -0x1.50bab8p-2, -0x1.27dda2p-2,
        -0x1.f1c18p-3, -0x1.9b1582p-3, -0x1.521938p-3, -0x1.171ef6p-3, -0x1.d0801p-4, -0x1.862b54p-4, -0x1.4b20e8p-4,
        -0x1.1bdb72p-4, -0x1.eb3914p-5, -0x1.acc916p-5, -0x1.7961e4p-5, -0x1.4e8a86p-5, -0x1.2a9134p-5,
        -0x1.0c081ap-5, -0x1.e3e31ep-6, -0x1.b6f2b6p-6, -0x1.8ffae8p-6, -0x1.6dec72p-6, -0x1.501bd6p-6,
        -0x1.35bd8ap-6, -0x1.1e612cp-6, -0x1.099254p-6, -0x1.edd88p-7, -0x1.cc64d4p-7, -0x1.ae1be6p-7,
        -0x1.92d04ap-7,
      ],
      [
        -0x1.55533ap-2, -0x1.159192p-2, -0x1.164b1p-3, -0x1.e693b2p-7, 0x1.b7cbcap-5, 0x1.3e78c4p-4, 0x1.3cec6p-4,
        0x1.13b64cp-4, 0x1.c41744p-5, 0x1.6941bcp-5, 0x1.1e40d8p-5, 0x1.c5e66ap-6, 0x1.6a0bd6p-6, 0x1.234344p-6,
        0x1.d91ccap-7, 0x1.842792p-7, 0x1.41bf9p-7, 0x1.0d3a84p-7, 0x1.c6b974p-8, 0x1.832ee8p-8, 0x1.4c45aap-8,
        0x1.1f321ap-8, 0x1.f3c17p-9, 0x1.b5603p-9, 0x1.811044p-9, 0x1.54abcep-9, 0x1.2ee0cap-9, 0x1.0e7b4ap-9,
        0x1.e50068p-10, 0x1.b491eap-10, 0x1.8a362cp-10, 0x1.654998p-10,
      ],
      [
        -0x1.0c3d14p-12, 0x1.0c2f3ep-3, 0x1.483b32p-3, 0x1.c30602p-4, 0x1.93aa24p-5, 0x1.47564ap-7, -0x1.0764cap-7,
        -0x1.be7198p-7, -0x1.be1276p-7, -0x1.7dcd04p-7, -0x1.326858p-7, -0x1.ddd26ep-8, -0x1.70a9fp-8,
        -0x1.1c35e8p-8, -0x1.b7d53ep-9, -0x1.56d7fep-9, -0x1.0db40cp-9, -0x1.ac4faep-10, -0x1.578e9cp-10,
        -0x1.163eecp-10, -0x1.c6c82ap-11, -0x1.7708fp-11, -0x1.37cffap-11, -0x1.05372p-11, -0x1.b8c34ap-12,
        -0x1.76a0aap-12, -0x1.4016d2p-12, -0x1.138b0ep-12, -0x1.dc6fecp-13, -0x1.9e19bep-13, -0x1.693ap-13,
        -0x1.3d1024p-13,
      ],
      [
        0x1.185b66p-3, 0x1.3078f2p-4, -0x1.2f4a98p-6, -0x1.c40a08p-5, -0x1.6bca98p-5, -0x1.81b512p-6, -0x1.26f3ccp-7,
        -0x1.c20b88p-10, 0x1.31f7bp-10, 0x1.00b2aap-9, 0x1.f58efcp-10, 0x1.a4913p-10, 0x1.4af072p-10, 0x1.fa0cecp-11,
        0x1.7eaae4p-11, 0x1.207e44p-11, 0x1.b4819ep-12, 0x1.4c4cb8p-12, 0x1.fe8a7ap-13, 0x1.8b0ba4p-13,
        0x1.35567ap-13, 0x1.e62368p-14, 0x1.83520ap-14, 0x1.3848f6p-14, 0x1.f77ab8p-15, 0x1.9cabaep-15,
        0x1.53465ep-15, 0x1.17b80ep-15, 0x1.d28c96p-16, 0x1.888cc2p-16, 0x1.4b7d4ap-16, 0x1.1fefbp-16,
      ],
      [
        -0x1.721cecp-6, -0x1.12c738p-4, -0x1.8e3be2p-5, -0x1.071eb6p-8, 0x1.d1b18cp-7, 0x1.a3deeep-7, 0x1.d93102p-8,
        0x1.9b0522p-9, 0x1.1b4634p-10, 0x1.329012p-13, -0x1.3f2202p-13, -0x1.0150ccp-12, -0x1.fdfeb6p-13,
        -0x1.6435b2p-13, -0x1.22715ap-13, -0x1.a3985ep-14, -0x1.428308p-14, -0x1.06b0b2p-14, -0x1.8853fep-15,
        -0x1.a3d5dp-16, -0x1.78709cp-16, -0x1.c83f52p-17, -0x1.46592ep-17, -0x1.9a7c94p-18, -0x1.a14a52p-17,
        -0x1.0bba6ap-18, -0x1.6b513ep-17, -0x1.6dcf68p-21, -0x1.2483cep-21, -0x1.f678aap-24, -0x1.d1ec6ap-19,
        0x1.5c4328p-19,
      ],
    ])
}
