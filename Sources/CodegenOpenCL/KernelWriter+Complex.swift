import Codegen
import IR

extension KernelWriter {
  /// The functions of complex numbers that are not made of others before.
  mutating func applyComplex(_ function: ScalarFunction, _ operands: [Value], _ type: RegisterType) -> Value {
    guard let b = operands[0].imaginary else {
      preconditionFailure("\(function.mnemonic) of complex numbers needs both parts")
    }
    let a = operands[0].part
    let (c, d) = operands.count > 1 ? (operands[1].part, operands[1].imaginary ?? operands[1].part) : (a, b)
    switch function {
    case .add: return Value(type, "\(a) + \(c)", imaginary: "\(b) + \(d)")
    case .subtract: return Value(type, "\(a) - \(c)", imaginary: "\(b) - \(d)")
    case .negate: return operands[0].mapParts(type) { "-\($0)" }
    case .multiply: return Value(type, "\(a) * \(c) - \(b) * \(d)", imaginary: "\(a) * \(d) + \(b) * \(c)")
    case .divide: return divide([a, b, c, d], type)
    case .abs: return magnitude(a, b, type)
    default: preconditionFailure("\(function.mnemonic) of \(operands[0].type) is no operation of the emitter")
    }
  }

  /// Of f32 parts by f64, where no product overflows; of f64 parts with the divisor scaled by its larger part (Smith's
  /// method).
  private mutating func divide(_ parts: [String], _ type: RegisterType) -> Value {
    helpers.usesF64 = true
    helpers.need(
      "tfc_divide_complex",
      """
      /* The quotient of complex numbers; of the smaller by the larger part of the divisor, which keeps all in range. */
      static inline double2 tfc_divide_complex(double a, double b, double c, double d) {
        const bool is_real = fabs(c) >= fabs(d);
        const double large = is_real ? c : d, small = is_real ? d : c;
        const double ratio = small / large, size = large + small * ratio;
        const double real = is_real ? a + b * ratio : a * ratio + b;
        const double imaginary = is_real ? b - a * ratio : b * ratio - a;
        return (double2)(real / size, imaginary / size);
      }

      """)
    let name = CType.memory(type.element)
    let operands = parts.map { Value(type, $0) }
    func component(_ end: String) -> String {
      lanewise(RegisterType(type.element.realPart, lanes: type.lanes), operands) {
        "(\(name))tfc_divide_complex(\($0.joined(separator: ", "))).\(end)"
      }.part
    }
    return Value(type, component("x"), imaginary: component("y"))
  }

  /// The absolute value; infinite where a part is, even if the other is NaN.
  private mutating func magnitude(_ a: String, _ b: String, _ type: RegisterType) -> Value {
    helpers.usesF64 = true
    let name = CType.memory(type.element)
    let function = "tfc_magnitude_\(name)"
    let wide = [
      "const double large = fabs(a) >= fabs(b) ? fabs(a) : fabs(b), small = fabs(a) >= fabs(b) ? fabs(b) : fabs(a);",
      "const double ratio = small / (large == 0 ? 1 : large);",
      "return large * sqrt(1 + ratio * ratio);",
    ]
    let narrow = ["return (float)sqrt((double)a * a + (double)b * b);"]
    let finite = (type.element == .f32 ? narrow : wide).map { "  \($0)" }.joined(separator: "\n")
    helpers.need(
      function,
      """
      /* The absolute value of a complex number. */
      static inline \(name) \(function)(\(name) a, \(name) b) {
        if (isinf(a) || isinf(b)) return INFINITY;
      \(finite)
      }

      """)
    return lanewise(type, [Value(type, a), Value(type, b)]) { "\(function)(\($0[0]), \($0[1]))" }
  }
}
