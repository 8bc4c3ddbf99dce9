// Running sums of lines that take several blocks, and of integers in one.
// kernels: kernel .*_prefixes
func.func @main(%x: tensor<1x4001xf32>, %n: tensor<3x700xi32>) -> (tensor<1x4001xf32>, tensor<3x700xi32>) {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %none = stablehlo.constant dense<0> : tensor<i32>
  %0 = "stablehlo.reduce_window"(%x, %zero) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %s = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %s : tensor<f32>
  }) {window_dimensions = array<i64: 1, 4001>, padding = dense<[[0, 0], [4000, 0]]> : tensor<2x2xi64>} : (tensor<1x4001xf32>, tensor<f32>) -> tensor<1x4001xf32>
  %1 = "stablehlo.reduce_window"(%n, %none) ({
  ^bb0(%a: tensor<i32>, %b: tensor<i32>):
    %s = stablehlo.add %a, %b : tensor<i32>
    stablehlo.return %s : tensor<i32>
  }) {window_dimensions = array<i64: 1, 700>, padding = dense<[[0, 0], [699, 0]]> : tensor<2x2xi64>} : (tensor<3x700xi32>, tensor<i32>) -> tensor<3x700xi32>
  return %0, %1 : tensor<1x4001xf32>, tensor<3x700xi32>
}
