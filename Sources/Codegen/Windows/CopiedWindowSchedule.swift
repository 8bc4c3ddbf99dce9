import IR

extension Schedule {
  /// Windows of single channels whose result has channels last and whose operand has not: the operand is copied so, and
  /// read along channels then. A kernel of 7x7 taps would read each element across 49 times.
  static let copiedWindow = Schedule("copied window") { request in
    guard request.anchor == .window, let (anchor, convolution) = request.body.onlyConvolution,
      convolution.featureGroupCount > 1, convolution.window.contains(where: { $0.extent != .one })
    else { return nil }
    let (numbers, input) = (convolution.dimensionNumbers, request.body[anchor].operands[0])
    var copy = request.body
    copy.results = [copy.moving(input, .transpose(Transpose(permutation: numbers.inputOrder)))]
    var along = request
    along.body = request.body.adding(parameters: copy.resultTypes, replacing: anchor) { node, parameters, graph in
      var (node, op) = (node, convolution)
      op.dimensionNumbers.inputBatch = 0
      op.dimensionNumbers.inputSpatial = Array(1...numbers.inputSpatial.count)
      op.dimensionNumbers.inputFeature = numbers.inputSpatial.count + 1
      node.op = .convolution(op)
      node.operands[0] = parameters[0]
      return graph.appendUnchecked(node)
    }
    along.constants.append(nil)
    along.isConstant.append(false)
    guard let windows = ChannelWindows(along) else { return nil }
    var scheduled = windows.scheduled()
    let operand = ScheduledFusion.Argument.operand(request.body.parameters.count)
    let copied = scheduled.addTemporary(copy.resultTypes[0])
    let steps = scheduled.steps.map { $0.replacing(operand, by: copied) }
    scheduled.steps = Schedule.packing(copy, request, into: copied).map { .launch($0) } + steps
    return scheduled
  }
}
