import IR

extension KernelBuilder {
  /// The function by simpler operations, or nil if it is a primitive of every target.
  mutating func expand(_ function: ScalarFunction, _ operands: [Register]) -> Register? {
    switch function {
    case .clamp: return apply(.minimum, [apply(.maximum, [operands[1], operands[0]]), operands[2]])
    default: return nil
    }
  }
}
