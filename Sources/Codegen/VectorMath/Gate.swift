import IR

/// A function that rises from 0 to 1 with its operand, by which activations multiply it.
enum Gate: Hashable, Sendable {
  /// (1 + erf(x / √2)) / 2, the normal distribution: x times it is GELU.
  case normal
  /// (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2: x times it is GELU's approximation.
  case hyperbolic
}

extension MathValue {
  /// This f32 times its gate. Positive: 0.81 ulp by pieces, else 1.4 (1.71 without multiply-adds); negative: at most 2⁻²⁴·⁹
  /// of its magnitude, else 2⁻²³·⁹ (2⁻²³·⁵).
  ///
  /// A gate less 1/2 is an odd function: half of x and its magnitude times the gate's rise lose nothing where x is
  /// negative but what 1 less the rise loses. Half of the smallest number is 0 in both, so that it keeps its sign.
  func timesGate(_ gate: Gate) -> MathValue {
    let half = self * 0.5
    let a = half.magnitude
    return fma(a, writer.builder.target.hasLookup ? gate.piecewiseRise(a) : gate.rise(a), half)
  }
}

/// 1 - (1 - a P(a))⁸ with a polynomial P, for a positive a up to a limit, from which on it is 1: for functions that near 1 as
/// fast as exp(-a²) does.
private struct EighthPower {
  let limit: Double
  let coefficients: [Double]

  static let normalRise = EighthPower(
    limit: 2.8,
    coefficients: [
      0x1.98845p-3, 0x1.1d350ap-3, 0x1.82f168p-8, -0x1.af98ccp-6, -0x1.1ac752p-10, 0x1.0e343ep-8, -0x1.09d582p-10,
      0x1.481abep-14,
    ])

  static let hyperbolicRise = EighthPower(
    limit: 2.625,
    coefficients: [
      0x1.98846ap-3, 0x1.1d306ap-3, 0x1.609d86p-8, -0x1.ced8dp-6, 0x1.c31ad6p-9, -0x1.3f8ca4p-8, 0x1.e38d92p-7,
      -0x1.a4accep-7, 0x1.53309ep-8, -0x1.071b3cp-10, 0x1.394878p-14,
    ])

  /// The value at a number, which is not negative; a little less than 0 at 0.
  func callAsFunction(_ number: MathValue) -> MathValue {
    let a = number.atMost(limit)
    var distance = fma(polynomial(a, coefficients), a, -0x1p-40)
    // 1 - (1 - d)² is 2d - d²: nothing is lost of a small d.
    for _ in 0..<3 { distance = fma(-distance, distance, distance + distance) }
    return distance
  }
}

extension Gate {
  /// Twice the gate of 2a, less 1, where a is not negative: 1 from a limit on, and less than 0 at 0, so that x keeps its sign
  /// there.
  fileprivate func rise(_ a: MathValue) -> MathValue {
    self == .normal ? EighthPower.normalRise(a) : EighthPower.hyperbolicRise(a)
  }

  /// The same by pieces.
  fileprivate func piecewiseRise(_ a: MathValue) -> MathValue {
    let rise: PiecewiseFunction = self == .normal ? .normalRise : .hyperbolicRise
    return rise.value(a.atMost(rise.limit))
  }
}

extension PiecewiseFunction {
  /// Twice the normal distribution of 2a, less 1.
  static let normalRise = PiecewiseFunction(
    scale: 5.5625, limit: 5.65,
    centers: [
      0, 0x1.702f88p-3, 0x1.702e3p-2, 0x1.142192p-1, 0x1.702cdep-1, 0x1.cc39bp-1, 0x1.14213ep0, 0x1.4229p0,
      0x1.702e6cp0, 0x1.9e3616p0, 0x1.cc3978p0, 0x1.fa3fa8p0, 0x1.1424a8p1, 0x1.2b25d6p1, 0x1.422888p1, 0x1.592b46p1,
      0x1.702df8p1, 0x1.87311p1, 0x1.9e3534p1, 0x1.b536dp1, 0x1.cc3942p1, 0x1.e33dcep1, 0x1.fa3dacp1, 0x1.08a0c6p2,
      0x1.1425d8p2, 0x1.1fa5b2p2, 0x1.2b04f4p2, 0x1.36d83ap2, 0x1.424418p2, 0x1.4e1656p2, 0x1.5ae102p2, 0x1.69999ap2,
    ],
    coefficients: [
      [
        -0x1p-40, 0x1.2431e2p-4, 0x1.1f8e8cp-3, 0x1.a42e54p-3, 0x1.0e4bp-2, 0x1.43376ap-2, 0x1.70415p-2, 0x1.95627p-2,
        0x1.b3020ep-2, 0x1.c9e6f4p-2, 0x1.db0676p-2, 0x1.e76efep-2, 0x1.f023cap-2, 0x1.f60cb2p-2, 0x1.f9f00ap-2,
        0x1.fc69eap-2, 0x1.fdf0c8p-2, 0x1.feda2cp-2, 0x1.ff611ep-2, 0x1.ffacap-2, 0x1.ffd59p-2, 0x1.ffeb0ep-2,
        0x1.fff5f8p-2, 0x1.fffb58p-2, 0x1.fffde8p-2, 0x1.ffff16p-2, 0x1.ffff9cp-2, 0x1.ffffd8p-2, 0x1.fffffp-2,
        0x1.fffffap-2, 0x1.fffffep-2, 0x1p-1,
      ],
      [
        0x1.98845p-2, 0x1.91f7d4p-2, 0x1.7ef236p-2, 0x1.613932p-2, 0x1.3b7216p-2, 0x1.10bf1ep-2, 0x1.c8ab1p-3,
        0x1.7220acp-3, 0x1.22754ep-3, 0x1.b95a78p-4, 0x1.44b0cap-4, 0x1.ce8114p-5, 0x1.3ee49ap-5, 0x1.a9dd68p-6,
        0x1.134a2ep-6, 0x1.5896c2p-7, 0x1.a19e16p-8, 0x1.ea027ap-9, 0x1.164da6p-9, 0x1.322684p-10, 0x1.460c0ep-11,
        0x1.501d36p-12, 0x1.4fa7f8p-13, 0x1.4462b8p-14, 0x1.2f447ep-15, 0x1.12e142p-16, 0x1.e6f96ep-18, 0x1.93d4fap-19,
        0x1.4e19cep-20, 0x1.032964p-21, 0x1.65fde8p-23, 0x1.a8a38ep-20,
      ],
      [
        0x1.59118ap-18, -0x1.210f7ap-5, -0x1.1360a4p-4, -0x1.7cffdep-4, -0x1.c5ab3p-4, -0x1.ea54d6p-4, -0x1.ec939ap-4,
        -0x1.d1c846p-4, -0x1.a1bd5p-4, -0x1.650eb2p-4, -0x1.23db54p-4, -0x1.c94f1cp-5, -0x1.57fc2ep-5, -0x1.f1a4c2p-6,
        -0x1.5a6f1ep-6, -0x1.d09dcap-7, -0x1.2c4f6cp-7, -0x1.766434p-8, -0x1.c24c0ep-9, -0x1.056e24p-9, -0x1.2513aap-10,
        -0x1.3d3d1cp-11, -0x1.4be38ap-12, -0x1.4f55aep-13, -0x1.4722a8p-14, -0x1.34deb2p-15, -0x1.1c6f46p-16,
        -0x1.ea4de4p-18, -0x1.a48feap-19, -0x1.521d74p-20, -0x1.e47faep-22, 0x1.800852p-15,
      ],
      [
        -0x1.110a8ep-4, -0x1.02eddp-4, -0x1.bbfed4p-5, -0x1.4daa62p-5, -0x1.962a28p-6, -0x1.182fccp-7, 0x1.8aee5p-8,
        0x1.1f0db4p-6, 0x1.9cc1c4p-6, 0x1.db341ep-6, 0x1.e2793p-6, 0x1.c05438p-6, 0x1.844452p-6, 0x1.3cb482p-6,
        0x1.e9c08ep-7, 0x1.688dbp-7, 0x1.fb092ap-8, 0x1.554584p-8, 0x1.b88044p-9, 0x1.11032ap-9, 0x1.4558fep-10,
        0x1.74eac4p-11, 0x1.9bb434p-12, 0x1.b5a7dep-13, 0x1.c0455p-14, 0x1.bb2768p-15, 0x1.aa2d54p-16, 0x1.7f9e36p-17,
        0x1.568786p-18, 0x1.1e75fcp-19, 0x1.a87cbep-21, 0x1.cd1a02p-12,
      ],
      [
        0x1.229db6p-9, 0x1.1dae18p-7, 0x1.07393ep-6, 0x1.576118p-6, 0x1.76dd4ep-6, 0x1.65e1d4p-6, 0x1.2d32b4p-6,
        0x1.b793aep-7, 0x1.04153ep-7, 0x1.6d4a04p-9, -0x1.62d09ep-10, -0x1.14646ap-8, -0x1.7a594ap-8, -0x1.9793c8p-8,
        -0x1.809292p-8, -0x1.4a973ap-8, -0x1.07f4ecp-8, -0x1.8bec7ep-9, -0x1.18bc68p-9, -0x1.7ae17ep-10,
        -0x1.e64224p-11, -0x1.2a61f2p-11, -0x1.5e91b8p-12, -0x1.8aa8dep-13, -0x1.ac884ap-14, -0x1.bd308cp-15,
        -0x1.bd6d5ap-16, -0x1.acdbb4p-17, -0x1.8de86ep-18, -0x1.62d68cp-19, -0x1.3037acp-20, 0x1.589f9cp-10,
      ],
    ]
  ).twiceOfTwice

  /// tanh(√(2/π) (2a + 0.044715 (2a)³)).
  static let hyperbolicRise = PiecewiseFunction(
    scale: 5.984375, limit: 5.25,
    centers: [
      0, 0x1.5637b2p-3, 0x1.563894p-2, 0x1.00ab8p-1, 0x1.563a1cp-1, 0x1.abc8aap-1, 0x1.00aae4p0, 0x1.2b726ap0,
      0x1.5638dap0, 0x1.80ff6ep0, 0x1.abc5acp0, 0x1.d68e24p0, 0x1.00aae4p1, 0x1.160e24p1, 0x1.2b70eap1, 0x1.40d74ap1,
      0x1.5638c2p1, 0x1.6b9db6p1, 0x1.81030ep1, 0x1.96635ap1, 0x1.abc986p1, 0x1.c12c82p1, 0x1.d68de4p1, 0x1.ebf46ap1,
      0x1.00abc2p2, 0x1.0b5e6ap2, 0x1.161056p2, 0x1.20aaf8p2, 0x1.2b54bp2, 0x1.37007cp2, 0x1.43eda8p2, 0x1.5p2,
    ],
    coefficients: [
      [
        -0x1p-40, 0x1.0fc75p-4, 0x1.0c07ep-3, 0x1.88fcbap-3, 0x1.fbe414p-3, 0x1.3153fep-2, 0x1.5e067cp-2, 0x1.83db2ap-2,
        0x1.a300bep-2, 0x1.bbf512p-2, 0x1.cf68cep-2, 0x1.de29d6p-2, 0x1.e90b04p-2, 0x1.f0d742p-2, 0x1.f644fcp-2,
        0x1.f9f05ap-2, 0x1.fc56c8p-2, 0x1.fddc5ep-2, 0x1.fecae4p-2, 0x1.ff57a8p-2, 0x1.ffa7dp-2, 0x1.ffd39ap-2,
        0x1.ffea9p-2, 0x1.fff61ap-2, 0x1.fffba2p-2, 0x1.fffe2ap-2, 0x1.ffff44p-2, 0x1.ffffb8p-2, 0x1.ffffe6p-2,
        0x1.fffff8p-2, 0x1.fffffep-2, 0x1p-1,
      ],
      [
        0x1.98845p-2, 0x1.92d366p-2, 0x1.823ac8p-2, 0x1.681798p-2, 0x1.467b16p-2, 0x1.1fe374p-2, 0x1.eddc3ap-3,
        0x1.9c14a4p-3, 0x1.4e89c2p-3, 0x1.083d34p-3, 0x1.961992p-4, 0x1.2f7fbap-4, 0x1.b90938p-5, 0x1.37599ep-5,
        0x1.aabd74p-6, 0x1.1b7f16p-6, 0x1.6ce6cp-7, 0x1.c606fep-8, 0x1.10a92p-8, 0x1.3bbd02p-9, 0x1.5f7656p-10,
        0x1.77b43p-11, 0x1.80dfp-12, 0x1.78bd66p-13, 0x1.601118p-14, 0x1.393984p-15, 0x1.08e7bcp-16, 0x1.ac6a52p-18,
        0x1.4670f8p-19, 0x1.a99a8ap-21, 0x1.c53b4cp-23, 0x1.7e2bdap-21,
      ],
      [
        0x1.5b091p-18, -0x1.0e879cp-5, -0x1.033e9ep-4, -0x1.6a3866p-4, -0x1.b54e84p-4, -0x1.e1386p-4, -0x1.ee5cb6p-4,
        -0x1.e04e38p-4, -0x1.bcd446p-4, -0x1.8ac25p-4, -0x1.50e45ep-4, -0x1.152836p-4, -0x1.b858f4p-5, -0x1.521b58p-5,
        -0x1.f6024cp-6, -0x1.682dd8p-6, -0x1.f3716ap-7, -0x1.4e1828p-7, -0x1.aec0eap-8, -0x1.0b51eap-8, -0x1.3e8848p-9,
        -0x1.6c0026p-10, -0x1.8e176ep-11, -0x1.9f8392p-12, -0x1.9d7f8p-13, -0x1.873f1ap-14, -0x1.5f738p-15,
        -0x1.2d518cp-16, -0x1.e668f4p-18, -0x1.50e7d6p-19, -0x1.7f736p-21, 0x1.fd2bd8p-17,
      ],
      [
        -0x1.1265acp-4, -0x1.05d484p-4, -0x1.c9da9ep-5, -0x1.664ba4p-5, -0x1.dc6458p-6, -0x1.c2340ep-7, 0x1.317206p-11,
        0x1.9b002p-7, 0x1.5dc582p-6, 0x1.b67a36p-6, 0x1.db9a64p-6, 0x1.d646bep-6, 0x1.b22778p-6, 0x1.7b0726p-6,
        0x1.3b4064p-6, 0x1.f5a344p-7, 0x1.7ed07ap-7, 0x1.18547cp-7, 0x1.8a0294p-8, 0x1.09a834p-8, 0x1.56f9c8p-9,
        0x1.a7996ap-10, 0x1.f38cf6p-11, 0x1.188ddap-11, 0x1.2bd74cp-12, 0x1.301d1ep-13, 0x1.2447c2p-14, 0x1.0b869p-15,
        0x1.cc65b6p-17, 0x1.54c2ecp-18, 0x1.8e9868p-20, 0x1.193a18p-13,
      ],
      [
        0x1.27975ap-9, 0x1.102832p-7, 0x1.fa7022p-7, 0x1.503774p-6, 0x1.7772d4p-6, 0x1.72333ep-6, 0x1.4687ccp-6,
        0x1.0094d4p-6, 0x1.5c5e56p-7, 0x1.71c072p-8, 0x1.4bf5dap-10, -0x1.10c6a8p-9, -0x1.1c5f58p-8, -0x1.6d62f6p-8,
        -0x1.869f2ap-8, -0x1.770602p-8, -0x1.4d7138p-8, -0x1.169c64p-8, -0x1.b8991cp-9, -0x1.4a8cc8p-9, -0x1.d76884p-10,
        -0x1.3ff712p-10, -0x1.9cbaa6p-11, -0x1.f912acp-12, -0x1.248442p-12, -0x1.40c99p-13, -0x1.4c21eep-14,
        -0x1.44f5ecp-15, -0x1.2af2c6p-16, -0x1.00c752p-17, -0x1.a265ecp-19, 0x1.94e9fcp-12,
      ],
    ]
  ).twiceOfTwice

  /// 2 P(2a): the same numbers but for powers of two.
  private var twiceOfTwice: PiecewiseFunction {
    PiecewiseFunction(
      scale: scale * 2, limit: limit / 2, centers: centers.map { $0 / 2 },
      coefficients: coefficients.enumerated().map { power, row in row.map { $0 * Double(2 << power) } })
  }
}
