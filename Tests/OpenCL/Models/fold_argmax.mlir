// The place of each row's maximum, the first of several: neighbours are combined in their order.
// kernels: kernel .* items
func.func @main(%x: tensor<5x301xf32>, %p: tensor<5x301xi64>) -> (tensor<5xf32>, tensor<5xi64>) {
  %low = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %zero = stablehlo.constant dense<0> : tensor<i64>
  %0:2 = stablehlo.reduce(%x init: %low), (%p init: %zero) across dimensions = [1] : (tensor<5x301xf32>, tensor<5x301xi64>, tensor<f32>, tensor<i64>) -> (tensor<5xf32>, tensor<5xi64>)
    reducer(%a: tensor<f32>, %b: tensor<f32>) (%i: tensor<i64>, %j: tensor<i64>) {
      %more = stablehlo.compare GE, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
      %v = stablehlo.select %more, %a, %b : tensor<i1>, tensor<f32>
      %n = stablehlo.select %more, %i, %j : tensor<i1>, tensor<i64>
      stablehlo.return %v, %n : tensor<f32>, tensor<i64>
    }
  return %0#0, %0#1 : tensor<5xf32>, tensor<5xi64>
}
