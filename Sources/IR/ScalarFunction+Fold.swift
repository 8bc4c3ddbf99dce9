extension ScalarFunction {
  /// Whether folds may be regrouped; float sums and products then differ by rounding only.
  public var isAssociative: Bool {
    switch self {
    case .add, .multiply, .maximum, .minimum, .and, .or, .xor: true
    default: false
    }
  }

  /// The value that changes nothing in a fold of an associative function.
  public func neutral(_ type: ElementType) -> Scalar? {
    switch self {
    // Powers of two have no zero.
    case .add where type == .f8E8M0FNU: nil
    case .add where type.isFloat: .real(-0.0)
    case .add, .or, .xor: type.isBoolean || type.isInteger || type.isComplex ? .zero(type) : nil
    case .multiply: Scalar(1, type)
    case .maximum: type.lowest
    case .minimum: type.highest
    case .and: type.isBoolean ? .true : .integer(type.wrapped(-1))
    default: nil
    }
  }
}
