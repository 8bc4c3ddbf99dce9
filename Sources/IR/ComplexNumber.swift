import RealModule

/// A complex number in f64, with the arithmetic that `evaluate` needs.
///
/// Special values follow C's Annex G where it defines them; products are the plain formula, without recovering infinities.
struct ComplexNumber: Hashable, Sendable {
  var re: Double
  var im: Double

  init(_ re: Double, _ im: Double) {
    self.re = re
    self.im = im
  }

  init(_ scalar: Scalar) { self.init(scalar.realValue, scalar.imaginaryValue) }

  static let zero = ComplexNumber(0, 0)
  static let one = ComplexNumber(1, 0)

  /// The number rounded to `type`.
  func scalar(_ type: ElementType) -> Scalar {
    .complex(FloatFormat.round(re, to: type.realPart), FloatFormat.round(im, to: type.realPart))
  }

  var conjugate: Self { Self(re, -im) }
  var squaredMagnitude: Double { re * re + im * im }
  /// The absolute value; infinite where a part is, even beside NaN.
  var magnitude: Double {
    re.isInfinite || im.isInfinite ? .infinity : Double.hypot(re, im)
  }
  var isNaN: Bool { re.isNaN || im.isNaN }
  var isFinite: Bool { re.isFinite && im.isFinite }
  /// The number times the imaginary unit.
  var rotated: Self { Self(-im, re) }
  /// The number divided by the imaginary unit.
  var rotatedBack: Self { Self(im, -re) }

  static func + (a: Self, b: Self) -> Self { Self(a.re + b.re, a.im + b.im) }
  static func - (a: Self, b: Self) -> Self { Self(a.re - b.re, a.im - b.im) }
  static func * (a: Self, b: Self) -> Self { Self(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re) }
  static func * (a: Self, b: Double) -> Self { Self(a.re * b, a.im * b) }
  static prefix func - (a: Self) -> Self { Self(-a.re, -a.im) }

  /// The quotient; the divisor is scaled by a power of two so that its square neither overflows nor vanishes.
  static func / (a: Self, b: Self) -> Self {
    let largest = max(b.re.magnitude, b.im.magnitude)
    let isScalable = largest.isFinite && largest > 0
    let scale = isScalable ? Double(sign: .plus, exponent: min(-Int(largest.exponent), 1000), significand: 1) : 1
    let d = b * scale
    let square = d.squaredMagnitude
    var re = (a.re * d.re + a.im * d.im) / square * scale
    var im = (a.im * d.re - a.re * d.im) / square * scale
    guard re.isNaN && im.isNaN else { return Self(re, im) }
    func boxed(_ x: Double) -> Double { x.isInfinite ? (x < 0 ? -1 : 1) : (x.sign == .minus ? -0.0 : 0) }
    if square == 0, !a.re.isNaN || !a.im.isNaN {
      let infinity = b.re.sign == .minus ? -Double.infinity : .infinity
      return Self(infinity * a.re, infinity * a.im)
    }
    if a.re.isInfinite || a.im.isInfinite, b.isFinite {
      let (x, y) = (boxed(a.re), boxed(a.im))
      re = .infinity * (x * b.re + y * b.im)
      im = .infinity * (y * b.re - x * b.im)
    } else if b.re.isInfinite || b.im.isInfinite, a.isFinite {
      let (x, y) = (boxed(b.re), boxed(b.im))
      re = 0 * (a.re * x + a.im * y)
      im = 0 * (a.im * x - a.re * y)
    }
    return Self(re, im)
  }

  /// `factor * (cos(angle) + i sin(angle))`, where an angle of zero keeps its sign and no NaN arises from it.
  static func polar(_ factor: Double, _ angle: Double) -> Self {
    if angle == 0 { return Self(factor, angle) }
    if factor == 0, !angle.isFinite { return Self(0, 0) }
    if factor.isInfinite, !angle.isFinite { return Self(factor, .nan) }
    return Self(factor * Double.cos(angle), factor * Double.sin(angle))
  }

  var exponential: Self {
    // Halves of the exponent, so that a product with a small cosine does not overflow on the way.
    if re > 700 && re.isFinite && im != 0 {
      let half = Double.exp(re / 2)
      return Self(half * Double.cos(im) * half, half * Double.sin(im) * half)
    }
    return Self.polar(re == .infinity ? .infinity : Double.exp(re), im)
  }

  var exponentialMinusOne: Self {
    if im == 0 { return Self(Double.expMinusOne(re), im) }
    guard isFinite, re < 700 else {
      let value = exponential
      return Self(value.re - 1, value.im)
    }
    let halfSine = Double.sin(im / 2)
    return Self(Double.expMinusOne(re) * Double.cos(im) - 2 * halfSine * halfSine, Double.exp(re) * Double.sin(im))
  }

  var logarithm: Self { Self(logMagnitude, Double.atan2(y: im, x: re)) }

  /// The logarithm of the absolute value, exact near one and where the square overflows.
  private var logMagnitude: Double {
    let (a, b) = (max(re.magnitude, im.magnitude), min(re.magnitude, im.magnitude))
    if re.isInfinite || im.isInfinite { return .infinity }
    if isNaN { return .nan }
    if a == 0 { return -.infinity }
    if a > 0.5 && a < 2 { return Double.log(onePlus: (a - 1) * (a + 1) + b * b) / 2 }
    let ratio = b / a
    return Double.log(a) + Double.log(onePlus: ratio * ratio) / 2
  }

  var logarithmOfOnePlus: Self {
    if !isFinite || re < -0.5 || max(re.magnitude, im.magnitude) > 1 { return Self(1 + re, im).logarithm }
    return Self(Double.log(onePlus: re * (2 + re) + im * im) / 2, Double.atan2(y: im, x: 1 + re))
  }

  var squareRoot: Self {
    if re == 0 && im == 0 { return Self(0, im) }
    if im.isInfinite { return Self(.infinity, im) }
    if re == .infinity { return Self(.infinity, im.isNaN ? .nan : Double(signOf: im, magnitudeOf: 0)) }
    if re == -.infinity {
      return im.isNaN ? Self(.nan, .infinity) : Self(0, Double(signOf: im, magnitudeOf: .infinity))
    }
    if isNaN { return Self(.nan, .nan) }
    // A power of four scales the absolute value into range.
    let largest = max(re.magnitude, im.magnitude)
    let shift = largest.exponent / 2
    let scaled = self * Double(sign: .plus, exponent: -2 * Int(shift), significand: 1)
    let root = ((Double.hypot(scaled.re, scaled.im) + scaled.re.magnitude) / 2).squareRoot()
    let back = Double(sign: .plus, exponent: Int(shift), significand: 1)
    let (large, small) = (root * back, scaled.im.magnitude / (2 * root) * back)
    if re >= 0 { return Self(large, Double(signOf: im, magnitudeOf: small)) }
    return Self(small, Double(signOf: im, magnitudeOf: large))
  }

  var hyperbolicSine: Self {
    if re == 0, !im.isFinite { return Self(re, .nan) }
    if im == 0 { return Self(Double.sinh(re), im) }
    if re.isInfinite, !im.isFinite { return Self(re, .nan) }
    if re.magnitude > 700, re.isFinite {
      let half = Double.exp(re.magnitude / 2) / 2
      let sign: Double = re < 0 ? -1 : 1
      return Self(sign * half * Double.cos(im) * half * 2, half * Double.sin(im) * half * 2)
    }
    return Self(Double.sinh(re) * Double.cos(im), Double.cosh(re) * Double.sin(im))
  }

  var hyperbolicCosine: Self {
    if re == 0, !im.isFinite { return Self(.nan, 0) }
    if im == 0 { return Self(Double.cosh(re), re.isNaN ? im : im * (re.sign == .minus ? -1 : 1)) }
    if re.isInfinite, !im.isFinite { return Self(.infinity, .nan) }
    if re.magnitude > 700, re.isFinite {
      let half = Double.exp(re.magnitude / 2) / 2
      let sign: Double = re < 0 ? -1 : 1
      return Self(half * Double.cos(im) * half * 2, sign * half * Double.sin(im) * half * 2)
    }
    let sine = re == 0 ? re * Double.sin(im) : Double.sinh(re) * Double.sin(im)
    return Self(Double.cosh(re) * Double.cos(im), sine)
  }

  var hyperbolicTangent: Self {
    if re == 0 && !im.isFinite { return Self(re, .nan) }
    if im == 0 { return Self(Double.tanh(re), im) }
    if re.magnitude > 20 {
      let limit = Double(signOf: re, magnitudeOf: 1)
      guard im.isFinite else {
        return re.isInfinite ? Self(limit, Double(signOf: im, magnitudeOf: 0)) : Self(.nan, .nan)
      }
      // sin(2b) / 2 divided by cosh(a)², which is exp(2a) / 4 here.
      let decay = Double.exp(-2 * re.magnitude)
      return Self(limit, 4 * Double.sin(im) * Double.cos(im) * decay)
    }
    let (tangent, sine, cosine) = (Double.tan(im), Double.sinh(re), Double.cosh(re))
    let divisor = 1 + sine * sine * (1 + tangent * tangent)
    return Self(cosine * sine * (1 + tangent * tangent) / divisor, tangent / divisor)
  }

  var sine: Self { rotated.hyperbolicSine.rotatedBack }
  var cosine: Self { rotated.hyperbolicCosine }
  var tangent: Self { rotated.hyperbolicTangent.rotatedBack }

  /// `self` raised to `exponent`: 1 for the exponent 0, and 0 for the base 0 with a positive exponent.
  func power(_ exponent: Self) -> Self {
    if exponent == .zero { return .one }
    if self == .zero {
      if exponent.re > 0 { return .zero }
      return exponent.im == 0 && exponent.re < 0 ? Self(.infinity, .nan) : Self(.nan, .nan)
    }
    let product = logarithm * exponent
    return Self.polar(Double.exp(product.re), product.im)
  }
}

// MARK: - Inverse functions (Hull, Fairgrieve and Tang, "Implementing the complex arcsine and arccosine functions
// using exception handling", and Kahan, "Branch cuts for complex elementary functions")

extension ComplexNumber {
  /// The inverse hyperbolic sine: `log(z + sqrt(z² + 1))`.
  var hyperbolicArcSine: Self { rotated.arcSine.rotatedBack }

  var arcSine: Self {
    if let special = arcSineOfSpecial { return special }
    let (left, right) = (Self(1 - re, -im).squareRoot, Self(1 + re, im).squareRoot)
    let real = Double.atan2(y: re, x: left.re * right.re - left.im * right.im)
    return Self(real, Self.arcSineImaginary(self))
  }

  var arcCosine: Self {
    if isNaN || re.isInfinite || im.isInfinite { return arcCosineOfSpecial }
    let (left, right) = (Self(1 - re, -im).squareRoot, Self(1 + re, im).squareRoot)
    let real = 2 * Double.atan2(y: left.re, x: right.re)
    return Self(real, -Self.arcSineImaginary(self))
  }

  /// `log(z + sqrt(z + 1) sqrt(z - 1))`.
  var hyperbolicArcCosine: Self {
    let angle = arcCosine
    if angle.re.isNaN && angle.im.isInfinite { return Self(.infinity, .nan) }
    return im.sign == .minus ? Self(angle.im, -angle.re) : Self(-angle.im, angle.re)
  }

  /// `(log(1 + z) - log(1 - z)) / 2`.
  var hyperbolicArcTangent: Self {
    if re.isInfinite || im.isInfinite || (im.isNaN && re == 0) {
      if im.isNaN && re == 0 { return Self(re, .nan) }
      let quarter = im.isNaN ? Double.nan : Double(signOf: im, magnitudeOf: Double.pi / 2)
      return Self(Double(signOf: re, magnitudeOf: 0), quarter)
    }
    if isNaN { return Self(.nan, .nan) }
    let a = re.magnitude
    if a > 1e100 || im.magnitude > 1e100 {
      let inverse = Self.one / self
      return Self(inverse.re, Double(signOf: im, magnitudeOf: Double.pi / 2))
    }
    // The square of the smaller distance to a pole, and four times the real part above it.
    let distance = (1 - a) * (1 - a) + im * im
    let real = Double.log(onePlus: 4 * a / distance) / 4
    let angle = Double.atan2(y: 2 * im, x: (1 - a) * (1 + a) - im * im) / 2
    return Self(Double(signOf: re, magnitudeOf: real), angle)
  }

  var arcTangent: Self { rotated.hyperbolicArcTangent.rotatedBack }

  /// The imaginary part of the arc sine: `asinh` of it is what both functions share.
  private static func arcSineImaginary(_ z: Self) -> Double {
    let (x, y) = (z.re.magnitude, z.im.magnitude)
    if max(x, y) > 1e150 {
      return Double(signOf: z.im, magnitudeOf: Self(x, y).logarithm.re + Double.log(2))
    }
    let (r, s) = (Double.hypot(x + 1, y), Double.hypot(x - 1, y))
    let a = (r + s) / 2
    // a - 1 without cancellation.
    let above = y * y / (r + (x + 1)) / 2
    let beyond = x < 1 ? y * y / (s + (1 - x)) / 2 : (s + (x - 1)) / 2
    let excess = x < 1 ? above + (y == 0 ? 0 : beyond) : above + beyond
    let value = a < 10 ? Double.log(onePlus: excess + (excess * (a + 1)).squareRoot()) : Double.acosh(a)
    return Double(signOf: z.im, magnitudeOf: value)
  }

  private var arcSineOfSpecial: Self? {
    if isFinite { return nil }
    let angle = arcCosineOfSpecial
    if re.isNaN || im.isNaN {
      if re == 0 { return Self(re, .nan) }
      if re.isInfinite { return Self(.nan, .infinity) }
      if im.isInfinite { return Self(.nan, im) }
      return Self(.nan, .nan)
    }
    return Self(Double(signOf: re, magnitudeOf: (Double.pi / 2 - angle.re).magnitude), -angle.im)
  }

  private var arcCosineOfSpecial: Self {
    if re.isNaN || im.isNaN {
      if im.isInfinite { return Self(.nan, -im) }
      if re.isInfinite { return Self(.nan, .infinity) }
      return re == 0 ? Self(Double.pi / 2, .nan) : Self(.nan, .nan)
    }
    let imaginary = Double(signOf: -im, magnitudeOf: .infinity)
    if re.isInfinite && im.isInfinite { return Self(re > 0 ? Double.pi / 4 : 3 * Double.pi / 4, imaginary) }
    if im.isInfinite { return Self(Double.pi / 2, imaginary) }
    return Self(re > 0 ? 0 : Double.pi, imaginary)
  }
}
