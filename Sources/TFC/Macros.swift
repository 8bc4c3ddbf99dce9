/// Traces a function's body each time it is called, compiles what it computes, and runs that.
///
/// Write a function over tensors, run it, then add `@Graph`:
///
///     @Graph
///     func clipped(_ x: Tensor<Float>, to limit: Tensor<Float>) -> Tensor<Float> {
///       var y = x
///       if y .> limit { y = limit }
///       return y
///     }
///
/// Control flow may depend on tensors. An `if`, a `guard`, a `while`, a `for`, `c ? a : b` and an early `return`,
/// `break` or `continue` become part of the graph when their condition is a `Tensor<Bool>`; with a `Bool` they run
/// as Swift always runs them, while the graph is built:
///
///     @Graph
///     func root(of x: Tensor<Float>, steps: Int = 20) -> Tensor<Float> {
///       var y = x
///       for _ in 0..<steps {                                   // unrolled: `steps` is an Int
///         let next = (y + x / y) / 2
///         if abs(next - y) .< 1e-6 { break }                   // in the graph: a Tensor<Bool>
///         y = next
///       }
///       return y
///     }
///
/// A `mutating` method and a function with `inout` parameters hand back what they assign:
///
///     extension Classifier {
///       @Graph
///       mutating func update(_ x: Tensor<Float>, _ label: Tensor<Int32>) -> Tensor<Float> { … }
///     }
///
/// What a branch on a tensor assigns must be a `TensorGroup`: see `@TensorGroup`. Closures, local functions,
/// `switch`, `if let` and loops that `return` stay as they are: a condition there is a `Bool`.
@attached(body)
public macro Graph() = #externalMacro(module: "TFCMacros", type: "GraphMacro")

/// Makes a struct of tensors one value of a graph: an argument, a result, the state of a loop.
///
///     @TensorGroup
///     struct Dense {
///       var weight: Tensor<Float>       // "weight" in a checkpoint
///       var bias: Tensor<Float>
///       let activation: Activation      // configuration: not visited
///     }
///
///     @TensorGroup
///     struct Classifier {
///       var hidden: Dense               // "hidden.weight", "hidden.bias"
///       var output: Dense
///     }
///
/// Every stored `var` is visited in the order of the source and must be a `TensorGroup` itself; `let`, `lazy`,
/// `static` and computed properties are not. A generic parameter that a stored `var` has for a type must be a
/// `TensorGroup` too.
@attached(extension, conformances: TensorGroup, names: named(visitTensors))
public macro TensorGroup() = #externalMacro(module: "TFCMacros", type: "TensorGroupMacro")
