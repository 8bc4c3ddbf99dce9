import IR

/// The op that a fusion's kernels are made around.
extension Graph {
  /// The only node whose op is of a kind; nil where there are none or several.
  func only(_ isAnchor: (Op) -> Bool) -> ValueID? {
    let found = values.filter { isAnchor(self[$0].op) }
    return found.count == 1 ? found[0] : nil
  }

  var onlyConvolution: (value: ValueID, op: Convolution)? {
    let value = only { if case .convolution = $0 { true } else { false } }
    guard let value, case .convolution(let convolution) = self[value].op else { return nil }
    return (value, convolution)
  }

  var onlyDotGeneral: (value: ValueID, op: DotGeneral)? {
    let value = only { if case .dotGeneral = $0 { true } else { false } }
    guard let value, case .dotGeneral(let dot) = self[value].op else { return nil }
    return (value, dot)
  }
}
