import IR

/// A kernel's buffers for those operands that some values need.
struct OperandBuffers {
  var inputs: [Memory] = []
  var arguments: [ScheduledFusion.Argument] = []

  init(for values: [ValueID], of request: SchedulingRequest, _ b: inout KernelBuilder) {
    var graph = request.body
    graph.results = values
    let live = graph.liveValues
    for (position, parameter) in graph.parameters.enumerated() {
      guard live[parameter.index] else {
        inputs.append(.buffer(-1))
        continue
      }
      inputs.append(b.addBuffer("in\(position)", graph.type(of: parameter).elementType, isWritten: false))
      arguments.append(.operand(position))
    }
  }

  /// Adds the buffer of a result or a temporary.
  mutating func add(_ argument: ScheduledFusion.Argument, _ type: ElementType, _ name: String, _ b: inout KernelBuilder)
    -> Memory
  {
    arguments.append(argument)
    return b.addBuffer(name, type, isWritten: true)
  }
}
