import IR

/// A kernel's buffers, and what is passed for them: those operands of the fusion that it reads, then what is added.
struct OperandBuffers {
  /// For each operand its buffer; of one that is not read, a number that is never used.
  var inputs: [Memory] = []
  var arguments: [ScheduledFusion.Argument] = []

  init(of request: SchedulingRequest, _ b: inout KernelBuilder, isRead: (_ position: Int) -> Bool) {
    for (position, type) in request.body.parameterTypes.enumerated() {
      guard isRead(position) else {
        inputs.append(.buffer(-1))
        continue
      }
      inputs.append(b.addBuffer("in\(position)", type.elementType, isWritten: false))
      arguments.append(.operand(position))
    }
  }

  /// Those operands that some values need.
  init(for values: [ValueID], of request: SchedulingRequest, _ b: inout KernelBuilder) {
    var graph = request.body
    graph.results = values
    let live = graph.liveValues
    self.init(of: request, &b) { live[graph.parameters[$0].index] }
  }

  /// Adds the buffer of something that is read.
  mutating func read(
    _ argument: ScheduledFusion.Argument, _ type: ElementType, _ name: String, _ b: inout KernelBuilder
  ) -> Memory {
    arguments.append(argument)
    return b.addBuffer(name, type, isWritten: false)
  }

  /// Adds the buffer of a result or a temporary.
  mutating func add(_ argument: ScheduledFusion.Argument, _ type: ElementType, _ name: String, _ b: inout KernelBuilder)
    -> Memory
  {
    arguments.append(argument)
    return b.addBuffer(name, type, isWritten: true)
  }

  /// Adds the buffers of some results of the fusion, or of all.
  mutating func addResults(
    _ results: [Int]? = nil, of request: SchedulingRequest, _ b: inout KernelBuilder
  ) -> [Memory] {
    let types = request.body.resultTypes
    var outputs: [Memory] = []
    for position in results ?? Array(types.indices) {
      outputs.append(add(.result(position), types[position].elementType, "out\(position)", &b))
    }
    return outputs
  }
}
